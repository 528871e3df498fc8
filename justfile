# Everything a developer does. `uv run just` shows the list.

set shell := ["bash", "-euo", "pipefail", "-c"]

# Show the verbs
default:
    @just --list

# Everything CI runs
test: tools lint types imports check

# What the tests call beside Python, from Debian where it is missing
tools:
    for tool in openssl strace faketime; do command -v $tool > /dev/null || missing="${missing:-} $tool"; done; [ -z "${missing:-}" ] || { apt-get update && apt-get install -y $missing; }

# Lint and format, as written down in pyproject.toml
lint:
    uv run --group dev ruff check .
    uv run --group dev ruff format --check .

# Types
types:
    uv run --group dev mypy

# Floors of rooms
imports:
    uv run --group dev lint-imports

# The tests; arguments go to pytest
check *ARGS:
    uv run --group dev pytest -q -n 2 --dist worksteal {{ARGS}}

# Format and mend what can be mended
fix:
    uv run --group dev ruff check --fix .
    uv run --group dev ruff format .

# Five tenants with weeks of history, sealed, verified and served
demo *ARGS:
    uv run sealog demo {{ARGS}}

# Write exact pins, transitive ones too, into pyproject.toml
lock:
    uv run --group dev python scripts/lock.py

# Measure: ingest over HTTP, search, single posts (see docs/performance.md)
bench *ARGS:
    uv run --group dev --group bench python -m bench {{ARGS}}

# Write the generated pages of docs/ anew
docs:
    uv run --group dev python scripts/docs.py
