import msgspec

from sealog.verify.report import FAULTS_MAX, FAULTS_PER_TENANT_MAX, Counts, Fault, Findings, Report


def test_a_fault_reads_as_one_line_that_says_who_where_and_what():
    assert str(Fault("acme", 7, "logs/x/entries", "it is altered")) == (
        "tenant acme: logs/x/entries (index 7): it is altered"
    )
    assert str(Fault(None, None, "FORMAT", "it is missing")) == "FORMAT: it is missing"


def test_a_report_holds_while_nothing_is_wrong():
    assert Report(unfinished=[Fault(None, None, "x", "y")]).holds
    assert not Report(faults=[Fault(None, None, "x", "y")]).holds


def test_faults_beyond_the_limit_are_counted_and_not_kept():
    findings = Findings("acme")

    for index in range(FAULTS_PER_TENANT_MAX + 3):
        findings.fault("x", "y", index)
        findings.note("x", "y", index)

    assert len(findings.faults) == len(findings.unfinished) == 200
    assert findings.left_out == 3


def test_counts_add_up_sort_by_sort():
    counts = Counts(1, 2, 3, 4, 5)

    counts.add(Counts(10, 20, 30, 40, 50))

    assert counts == Counts(11, 22, 33, 44, 55)


def test_a_report_can_be_given_to_programs():
    report = Report(faults=[Fault("acme", 3, "logs/x/entries", "it is altered")])

    decoded = msgspec.json.decode(msgspec.json.encode(report))

    assert decoded["faults"] == [
        {"tenant": "acme", "index": 3, "where": "logs/x/entries", "what": "it is altered"}
    ]


def test_a_report_takes_only_so_many_faults_of_all_tenants():
    report = Report()
    findings = Findings("acme")
    for index in range(FAULTS_PER_TENANT_MAX + 1):
        findings.fault("x", "y", index)

    for _ in range(FAULTS_MAX // FAULTS_PER_TENANT_MAX + 1):
        report.add(findings)

    assert len(report.faults) == 10_000
    assert report.faults_left_out == 51 + 200
