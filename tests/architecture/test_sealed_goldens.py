import hashlib

from tests.architecture.tree import ROOT

GOLDEN = ROOT / "tests" / "golden"
SEALED = {
    "checkpoint/event-proof-v1.json": "e91e2c73f4e6b373962d883e1c97d2bd0d792f268f8f33dcefa3bab58a99ef2b",
    "checkpoint/go-reference.txt": "537569759e8fc05d0cd7cbd8beb018f45cf8229f5b270aa1c829445405bab98e",
    "checkpoint/index-3.tlog-proof": "c26da86f73998b183d0e6b7b23ae5dd0c7d6405b217d83dfbeea7442ddaa14bf",
    "checkpoint/size-0.txt": "d8e26a4a212158f6d7d86a38600e9bd79ec32fe7286bd566643be5168d5cf4a4",
    "checkpoint/size-7-cosigned-pq.txt": "11fde6eb71a3d2915a757cc3c06da2ce686c63fa35733934d60378cb46c3c387",
    "checkpoint/size-7-cosigned.txt": "db2b7de58ec5ddb79d72a9836ca2c1ccd7165c6fdf4546cbd6c6a8ca211cd086",
    "checkpoint/size-7.txt": "b71aaa626607c30d74c53c3231452a799d6a67b76f29b115cd202eb40f9b1f8d",
    "checkpoint/spec-example.txt": "63e941532b25232632830e8f3938657735885f69809000ad8e63c4d9f9dfe15f",
    "entry/parts-vectors.json": "8161c4a91445da47c09193b45988eb3d795dfad74e9b3b4645635c0360beaa9b",
    "entry/statement.txt": "6d3060d97d3c090100d7b61ea72ab5f3fb135e6befb09ceab34a715e5e1da6c5",
    "entry/whole-event-kept.txt": "0487f315e13c9b3f9d9654ca97b1029e1d1de304ce919affb95fb90f87f87640",
    "entry/whole-event.txt": "5ce484a7cd295c2dee4bd085887dc77ad47ed59d95f34ba7a3e34d096ba3f26f",
    "merkle/ct-vectors.json": "8f9cd15162f1b72164e9ac8c9c6c0bf543bb37b5ab2353bae93737d69cfc47d5",
    "merkle/tlog-vectors.json": "9fce3e389568689a3fdb4e76384e640a565bc49e2048fdcbe0c6d9e444e7eb81",
}


def test_what_is_sealed_for_ever_was_not_edited():
    """These bytes are in logs and in other people's hands: a change is a new version beside them."""
    changed = [
        name
        for name, digest in SEALED.items()
        if hashlib.sha256((GOLDEN / name).read_bytes()).hexdigest() != digest
    ]

    assert changed == []


def test_what_is_sealed_is_listed():
    """Whoever adds a file here adds its SHA-256 above, once and for all."""
    found = {
        path.relative_to(GOLDEN).as_posix()
        for folder in ("entry", "checkpoint", "merkle")
        for path in (GOLDEN / folder).iterdir()
    }

    assert found == set(SEALED)
