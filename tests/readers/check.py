"""Reads the folder of a run with tools that others wrote, and compares what they read with summary.json.

    check.py RUN_FOLDER SUMMARY_SCHEMA.json RUN_SCHEMA.json [METRICS.txt]

The schemas are those of `dmswarm schema summary` and `dmswarm schema run`; METRICS.txt is what /metrics has told while a
run went on. Ends with 1 and a line for each thing that does not fit.
"""

import csv
import io
import json
import pathlib
import re
import sys
import xml.etree.ElementTree

import jsonschema
import zstandard
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from prometheus_client.openmetrics.parser import text_string_to_metric_families

# As hdr-plot reads them: https://github.com/BrunoBonacci/hdr-plot
HGRM_ROW = re.compile(r"\s+([0-9.]+)\s+([0-9.]+)\s+([0-9.]+)\s+([0-9.]+)")
HGRM_MEAN = re.compile(r"#\[Mean(?:\s+)=(?:\s+)([0-9.]+),(?:\s+)StdDeviation(?:\s+)=(?:\s+)([0-9.]+)")
HGRM_MAX = re.compile(r"#\[Max(?:\s+)=(?:\s+)([0-9.]+),(?:\s+)Total count(?:\s+)=(?:\s+)([0-9.]+)")
SERVICE = ".service"

problems = []


def expect(holds, what):
    if not holds:
        problems.append(what)


def metric_and_clock(tag):
    return (tag[: -len(SERVICE)], "service_ms") if tag.endswith(SERVICE) else (tag, "response_ms")


def check_json(folder, name, schema):
    document = json.loads((folder / name).read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    for error in validator.iter_errors(document):
        problems.append(f"{name}: {error.json_path}: {error.message}")
    return document


def check_log(folder, summary):
    """Every interval taken together has the samples and the percentiles that the summary tells."""
    file = folder / "latency.hlog"
    tags = {line.split(",")[0][len("Tag=") :] for line in file.read_text().splitlines() if line.startswith("Tag=")}
    merged = {tag: HdrHistogram(1, 3_600_000_000, 3) for tag in tags}
    reader = HistogramLogReader(str(file), HdrHistogram(1, 3_600_000_000, 3))
    while True:
        interval = reader.get_next_interval_histogram()
        if interval is None:
            break
        merged[interval.get_tag()].add(interval)
    reader.close()
    expect(merged, "latency.hlog: no intervals")
    for metric, row in summary["latency"].items():
        for tag, clock in [(metric, "response_ms"), (metric + SERVICE, "service_ms")]:
            found = merged[tag].get_total_count() if tag in merged else 0
            expect(found == row["count"], f"latency.hlog: {tag}: {found} samples, the summary has {row['count']}")
    for tag, histogram in merged.items():
        metric, clock = metric_and_clock(tag)
        told = summary["latency"][metric][clock]["p99"]
        if told is not None:
            # This reader rounds to the nearest sample where the summary takes the next one; by number they are the same.
            total = histogram.get_total_count()
            nth = -(-total * 99 // 100)
            found = [histogram.get_value_at_percentile(100 * rank / total) / 1000 for rank in (nth, min(nth + 1, total))]
            # Three digits, and what is shorter than a microsecond counts as one.
            is_near = any(abs(value - told) <= told / 500 + 0.001 for value in found)
            expect(is_near, f"latency.hlog: {tag}: p99 {found}, the summary has {told}")


def check_percentiles(folder, summary):
    files = sorted((folder / "latency").glob("*.hgrm"))
    expect(files, "latency/: no .hgrm")
    for file in files:
        metric, _ = metric_and_clock(file.name[: -len(".hgrm")])
        lines = file.read_text().splitlines()
        rows = [tuple(map(float, HGRM_ROW.match(line).groups())) for line in lines if HGRM_ROW.match(line)]
        expect(rows == sorted(rows), f"{file.name}: the rows do not go up")
        expect(sum(1 for line in lines if HGRM_MEAN.match(line)) == 1, f"{file.name}: no mean")
        totals = [HGRM_MAX.match(line).group(2) for line in lines if HGRM_MAX.match(line)]
        count = summary["latency"][metric]["count"]
        expect(totals == [str(count)], f"{file.name}: total count {totals}, the summary has {count}")


def check_junit(folder, summary):
    root = xml.etree.ElementTree.parse(folder / "junit.xml").getroot()
    suites = {suite.get("name"): suite for suite in root.iter("testsuite")}
    expect(list(suites) == ["limits", "promises", "health", "goals"], f"junit.xml: suites {list(suites)}")
    for what, tag in [("failures", "failure"), ("errors", "error")]:
        found = len(list(root.iter(tag)))
        expect(int(root.get(what)) == found, f"junit.xml: {what} {root.get(what)}, found {found}")
    wrong = int(root.get("failures")) + int(root.get("errors"))
    expect((wrong == 0) == (summary["verdict"] == "passed"), f"junit.xml: {wrong} wrong, verdict {summary['verdict']}")
    names = [case.get("name") for case in suites["limits"].iter("testcase")]
    expect(names == [limit["expr"] for limit in summary["limits"]], f"junit.xml: limits {names}")


def check_timeline(folder, summary):
    with open(folder / "timeline.csv", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    expect([int(row["second"]) for row in rows] == list(range(len(rows))), "timeline.csv: the seconds have gaps")
    for column, told in [
        ("started", sum(row["started"] for row in summary["flows"].values())),
        ("done", sum(row["done"] for row in summary["flows"].values())),
    ]:
        found = sum(int(row[column]) for row in rows)
        expect(found == told, f"timeline.csv: {column} {found}, the summary has {told}")


def check_events(folder, summary):
    with open(folder / "events.jsonl.zst", "rb") as file:
        reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        events = [json.loads(line) for line in io.TextIOWrapper(reader, encoding="utf-8")]
    expect(events and events[0].get("event") == "load", "events.jsonl.zst: it does not begin with the load")
    expect(all(("event" in event) != ("fact" in event) for event in events), "events.jsonl.zst: neither event nor fact")
    ended = sum(1 for event in events if event.get("event") == "ended" and not event["as_expected"])
    failed = sum(summary["failed"].values())
    expect(ended == failed, f"events.jsonl.zst: {ended} failed flows, the summary has {failed}")


def check_metrics(file):
    families = list(text_string_to_metric_families(pathlib.Path(file).read_text()))
    expect({"dmswarm_flows", "dmswarm_latency_seconds"} <= {family.name for family in families}, f"{file}: no flows")
    expect(all(family.documentation for family in families), f"{file}: a family without help")


def main():
    folder = pathlib.Path(sys.argv[1])
    summary = check_json(folder, "summary.json", json.loads(pathlib.Path(sys.argv[2]).read_text()))
    check_json(folder, "run.json", json.loads(pathlib.Path(sys.argv[3]).read_text()))
    for check in [check_log, check_percentiles, check_junit, check_timeline, check_events]:
        check(folder, summary)
    for file in sys.argv[4:]:
        check_metrics(file)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{folder.name}: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
