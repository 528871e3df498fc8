"""Write exact pins into pyproject.toml: `just lock`.

`uv.lock` names the hosts packages were fetched from and is not kept. What it resolves is: every
package, transitive ones too, in `[tool.uv] constraint-dependencies`, and the build backend's in
`build-constraint-dependencies`, so that anyone resolves the same versions from any index.
"""

import re
import subprocess
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT = ROOT / "pyproject.toml"
BEGIN = "# Written by `just lock`."


def main() -> None:
    """Resolve anew without the old pins, then write the new ones."""
    text = PROJECT.read_text()
    bare = re.sub(rf"{re.escape(BEGIN)}\n.*?# End of the pins\.\n", "", text, flags=re.DOTALL)
    PROJECT.write_text(bare)
    (ROOT / "uv.lock").unlink(missing_ok=True)
    try:
        pins = resolved()
        backend = built_with(tomllib.loads(bare)["build-system"]["requires"])
    except BaseException:
        PROJECT.write_text(text)
        raise
    block = "\n".join(
        [
            BEGIN,
            f"constraint-dependencies = [\n{listed(pins)}]",
            f"build-constraint-dependencies = [\n{listed(backend)}]",
            "# End of the pins.",
            "",
        ]
    )
    PROJECT.write_text(bare.replace("[tool.uv]\n", f"[tool.uv]\n{block}", 1))


def resolved() -> list[str]:
    """Every package of every group, as `name==version`, with markers where versions differ."""
    subprocess.run(["uv", "lock", "--upgrade", "--quiet"], cwd=ROOT, check=True)
    exported = subprocess.run(
        [
            "uv",
            "export",
            "--all-groups",
            "--no-hashes",
            "--no-emit-project",
            "--no-annotate",
            "--no-header",
            "--quiet",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    pins = [line.split(" ; ") for line in exported.splitlines() if "==" in line]
    versions = Counter(pin[0].split("==")[0] for pin in {pin[0]: pin for pin in pins}.values())
    # A marker is kept only where it decides between versions: elsewhere it would pin nothing.
    return sorted(
        " ; ".join(pin) if versions[pin[0].split("==")[0]] > 1 else pin[0] for pin in pins
    )


def built_with(requires: list[str]) -> list[str]:
    """The build backend and what it needs, as `name==version`."""
    compiled = subprocess.run(
        ["uv", "pip", "compile", "--no-header", "--no-annotate", "--quiet", "-"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        input="\n".join(requires),
    ).stdout
    return sorted(line for line in compiled.splitlines() if "==" in line)


def listed(pins: list[str]) -> str:
    """The pins as lines of a TOML array."""
    return "".join(f'  "{pin}",\n' for pin in pins)


if __name__ == "__main__":
    main()
