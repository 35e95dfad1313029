"""The Markdown that bench/gpu_lab.py writes of its figures."""

import collections

NONE = "–"


# ---- single figures -------------------------------------------------------------------------------------------

def time_text(seconds):
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * scale >= 0.9995 or unit == "us":
            return f"{seconds * scale:.4g} {unit}"


def rate_text(rate, unit):
    return f"{rate * 1e-12:.3g} T{unit}" if rate >= 0.9995e12 else f"{rate * 1e-9:.3g} G{unit}"


def is_misfit(result):
    return result.get("kind") == "misfit"


def bits(result):
    """Of one training."""
    if "reason" in result:
        return "does not fit" if is_misfit(result) else "not known"
    return {True: "equal", False: "DIFFERENT", None: "no hash of the CPU"}[result.get("equal")]


def cell_text(cell):
    return time_text(cell["median_seconds"]) if "median_seconds" in cell else "does not fit" if is_misfit(cell) else NONE


def ratio_text(a, b):
    """How much longer a took than b."""
    return f"{a['median_seconds'] / b['median_seconds']:.3g}" if "median_seconds" in a and "median_seconds" in b else NONE


def limit_of(cell, limits):
    """The seconds that a step takes at the tighter limit, and the rate that counts then: a text of the cell's own time."""
    if "median_seconds" not in cell or "bytes" not in cell or "reason" in limits:
        return None, NONE
    reading = cell["bytes"] / limits["read_bytes_per_second"]
    computing = cell.get("flops", 0.0) / limits["fma_flops_per_second"]
    if reading > computing:
        return reading, rate_text(cell["bytes"] / cell["median_seconds"], "B/s")
    return computing, rate_text(cell["flops"] / cell["median_seconds"], "FLOP/s")


def share_text(cell, limits):
    floor, _ = limit_of(cell, limits)
    return NONE if floor is None else f"{100.0 * floor / cell['median_seconds']:.3g} %"


def of_device(workload):
    """Results by who computed them: the default one stands under its executor's name."""
    results = {k: c for k, c in workload["results"].items() if k not in ("cpu", "default")}
    default = workload["results"].get("default", {})
    if "median_seconds" in default:
        results[default["executor"] or "default"] = default
    return results


def best_of(workload):
    """Name and figures of the quickest on the device; None where nothing was measured."""
    timed = [(k, c) for k, c in of_device(workload).items() if "median_seconds" in c]
    return min(timed, key=lambda item: item[1]["median_seconds"], default=None)


# ---- the verdict ----------------------------------------------------------------------------------------------

def trained(report):
    return [result for row in report["matrix"] for result in row["results"].values()]


def compared(report):
    return [result["equal"] for result in trained(report) if "equal" in result]


def is_wrong(report):
    """Other bits than the device's grade allows, a training that failed, or nothing that says either."""
    equal = compared(report)
    differs = not all(equal) and report["device"]["grade"] == "exact"
    return not equal or differs or any(result.get("kind") == "fault" for result in trained(report))


def verdict(report):
    equal = compared(report)
    unknown = sum(not is_misfit(result) for result in trained(report)) - len(equal)
    rest = f"; {unknown} are not known" if unknown else ""
    if not equal:
        return "No hashes were compared"
    if all(equal):
        return f"All {len(equal)} hashes that were compared are the CPU's{rest}"
    differing = f"{len(equal) - sum(equal)} of {len(equal)} hashes differ from the CPU's"
    return f"{differing} (the device's grade: {report['device']['grade']}){rest}"


# ---- tables ---------------------------------------------------------------------------------------------------

def table(header, rows):
    """The first column is text, as are those whose name ends in a space; figures are to the right."""
    marks = "|".join("---" if i == 0 or name.endswith(" ") else "--:" for i, name in enumerate(header))
    return ["| " + " | ".join(name.strip() for name in header) + " |", f"|{marks}|",
            *("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows), ""]


def limit_rows(report):
    figures = [("reads", "read_bytes_per_second", lambda v: rate_text(v, "B/s")),
               ("fma", "fma_flops_per_second", lambda v: rate_text(v, "FLOP/s")),
               ("empty launch, and the wait for it", "launch_seconds", time_text),
               ("empty launch among many queued", "queued_seconds", time_text),
               ("atomic exchanges, a word for each work-item", "atomics_per_second", lambda v: rate_text(v, "/s")),
               ("upload", "upload_bytes_per_second", lambda v: rate_text(v, "B/s")),
               ("download", "download_bytes_per_second", lambda v: rate_text(v, "B/s"))]
    sides = [report["limits"][side] for side in ("device", "cpu")]
    return [[name, *(text(side[key]) if side.get(key) else NONE for side in sides)] for name, key, text in figures]


def prediction_texts(cell, predicted):
    """The model's time, and the measured one by it."""
    if predicted is None:
        return NONE, NONE
    more, less = ("over ", "under ") if predicted["is_least"] else ("", "")
    return more + time_text(predicted["seconds"]), f"{less}{cell['median_seconds'] / predicted['seconds']:.3g}"


def winner_rows(report):
    limits, model = report["limits"]["device"], report["model"].get("predictions", {})
    for workload in report["workloads"]:
        results, best = workload["results"], best_of(workload)
        cpu, default = results.get("cpu", {}), results.get("default", {})
        if best is None:
            yield [workload["name"], cell_text(cpu), NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE]
            continue
        name, cell = best
        predicted = model.get(workload["name"], {}).get(name)
        taken = default.get("executor") or NONE
        yield [workload["name"], cell_text(cpu), f"**{taken}**" if taken == name else taken,
               NONE if name == "default" else name, cell_text(cell), ratio_text(cpu, cell), limit_of(cell, limits)[1], share_text(cell, limits),
               *prediction_texts(cell, predicted)]


def executor_rows(report, names):
    for workload in report["workloads"]:
        results, best = of_device(workload), best_of(workload)
        if not any(name in results for name in names):
            continue
        texts = {n: cell_text(results[n]) if n in results else "" for n in names}
        yield [workload["name"], *(f"**{texts[n]}**" if best and n == best[0] else texts[n] for n in names)]


def model_rows(report, names):
    """Of each executor with a prediction: the time measured, predicted, and one by the other."""
    for workload in report["workloads"]:
        predictions, results = report["model"]["predictions"].get(workload["name"], {}), of_device(workload)
        for name in names:
            cell, predicted = results.get(name, {}), predictions.get(name)
            if predicted and "median_seconds" in cell:
                yield [workload["name"], name, cell_text(cell), *prediction_texts(cell, predicted)]


def fast_rows(report):
    for workload in report["workloads"]:
        if not workload["fast"]:
            continue
        best = best_of(workload)
        exact = best[1] if best else {}
        ours, theirs = workload["fast"].get("tanda", {}), workload["fast"].get("clblast", {})
        yield [workload["name"], cell_text(exact), cell_text(ours), cell_text(theirs), ratio_text(theirs, exact),
               ratio_text(theirs, ours)]


def torch_rows(report):
    found = {(r["workload"], r["runner"].split()[0]): r for r in report["torch"].get("results", [])}
    for (name, runner), theirs in found.items():
        if runner != "torch":
            continue
        ours = found[name, "tanda"]
        yield [name, time_text(ours["median_seconds"]), time_text(theirs["median_seconds"]), f"{theirs['ratio']:.3g}",
               "yes" if theirs["losses_agree"] else "**NO**"]


def missing_rows(report):
    """What was not measured, but for executors that are not made for a training."""
    for side, limits in report["limits"].items():
        if "reason" in limits:
            yield ["limits", side, limits["reason"]]
    for row in report["matrix"]:
        for name, result in [("cpu", row["cpu"]), *row["results"].items()]:
            if "reason" in result and not is_misfit(result):
                yield [f"bits of {row['training']}", name, result["reason"]]
    for workload in report["workloads"]:
        fast = [(f"fast {gemm}", cell) for gemm, cell in workload["fast"].items()]
        for name, cell in [*workload["results"].items(), *fast]:
            if "reason" in cell and not is_misfit(cell):
                yield [workload["name"], name, cell["reason"]]
    torch = {r["workload"] for r in report["torch"].get("results", []) if r["runner"] == "torch"}
    for workload in report["workloads"]:
        has_one = workload["fast"] or workload["name"].startswith("logistic/")
        if "results" in report["torch"] and has_one and "no-loss" not in workload["name"] and workload["name"] not in torch:
            yield [workload["name"], "PyTorch", report["torch"]["rest"]]
    for name, part in (("PyTorch", report["torch"]), ("the machine model", report["model"])):
        if "reason" in part:
            yield ["all", name, part["reason"]]


def gathered(rows):
    """Rows of what, by whom, why: those with the same reason that have what or by whom in common become one."""
    for common, other in ((0, 1), (1, 0)):
        groups = {}
        for row in rows:
            groups.setdefault((row[common], row[2]), []).append(row[other])
        rows = []
        for (kept, reason), others in groups.items():
            row = ["; ".join(others), "; ".join(others), reason]
            row[common] = kept
            rows.append(row)
    return rows


def introduction(report):
    device, cpu = report["device"], report["cpu"]
    yield f"# {device['name']}"
    yield ""
    yield f"Made by `bench/gpu-lab.sh`, tanda {report['version']}, {report['date']}, in {report['seconds']:.0f} s."
    yield (f"{device['id']}: {device['kind']}, {device['compute_units']} units, {device['memory'] / 2**30:.3g} GiB,"
           f" {device['platform']}, driver {device['driver']}.")
    yield f"The CPU beside it: {cpu['name']}, {cpu['compute_units']} units, {cpu['platform']}."
    if device["kind"] == "CPU":
        yield "\n**The device is a CPU**: nothing here says anything about GPUs."
    others = max((c.get("others_cores", 0.0) for w in report["workloads"] for c in w["results"].values()), default=0.0)
    if others > 0.1:
        yield f"\n**The machine was shared**: others took up to {others:.1f} cores meanwhile; times are not to be relied on."
    yield ""
    best = [(w, best_of(w)) for w in report["workloads"] if best_of(w) and "median_seconds" in w["results"].get("cpu", {})]
    faster = [w for w, b in best if b[1]["median_seconds"] < w["results"]["cpu"]["median_seconds"]]
    wins = collections.Counter(b[0] for w in report["workloads"] for b in [best_of(w)] if b and b[0] != "default")
    others_win = [w["name"] for w in report["workloads"] for b in [best_of(w)] if b and b[0] != "default"
                  and w["results"]["default"].get("executor") not in (None, b[0])]
    yield f"**{verdict(report)}.** The device's best executor is quicker than the CPU in {len(faster)} of {len(best)} workloads."
    if wins:
        yield f"Quickest: {', '.join(f'{name} in {count}' for name, count in wins.most_common())}."
    if others_win:
        yield f"It is not the one that is taken by default in {', '.join(others_win)}."
    yield ""


def markdown(report):
    executors = report["executors"]
    timed = [e for e in report["device"]["executors"] if any(e in of_device(w) for w in report["workloads"])]
    lines = [*introduction(report)]
    lines += ["## Limits", "", *table(["", report["device"]["id"], "CPU"], limit_rows(report))]
    lines += ["## Which executor wins where", "",
              "Time of a step; taken: the executor of the device by default, bold where it is the quickest. Speed is the CPU's time by",
              "that of the quickest. The rate is what a step must at least read or compute by its time, and the share that of the tighter",
              "limit above; over 100 %, rows come from a cache. Model: what the machine model predicts, and the measured time by it.", "",
              *table(["workload", "CPU", "taken ", "quickest ", "time", "speed", "rate", "of limit", "model",
                      "measured / model"], winner_rows(report))]
    lines += ["## Executors", "", "*does not fit*: the executor is not made for the training. – is explained at the end.", "",
              *table(["workload", *timed], executor_rows(report, timed))]
    lines += ["## Exact, fast, CLBlast", "",
              "Products of matrices: the quickest exact executor; `--math fast` with tanda's kernels and with CLBlast's.", "",
              *(table(["workload", "exact", "fast, tanda", "fast, CLBlast", "CLBlast / exact", "CLBlast / fast tanda"],
                      fast_rows(report))
                if any(w["fast"] for w in report["workloads"]) else ["No workload here has any.", ""])]
    lines += ["## The machine model", ""]
    lines += ([f"Of its {report['model']['card']}: where the measured time is far above it, something is in the way, or the model is wrong.", "",
               *table(["workload", "executor ", "measured", "model", "measured / model"], model_rows(report, timed))]
              if "predictions" in report["model"] else [f"Not there: {report['model']['reason']}.", ""])
    lines += ["## PyTorch", ""]
    lines += ([f"PyTorch {report['torch']['version']} on {report['torch']['device']}, fp32 without TF32, in turn with tanda by",
               "`bench/peers.py`.", "",
               *table(["workload", "tanda", "PyTorch", "PyTorch / tanda", "losses agree "], torch_rows(report))]
              if "results" in report["torch"] else [f"Not measured: {report['torch']['reason']}.", ""])
    lines += ["## Bits", "", "weights_sha256 of short trainings, each executor forced, beside the CPU's.", "",
              *table(["training", "CPU ", *(f"{e} " for e in ["default", *executors])],
                     ([row["training"], f"`{row['cpu']['weights_sha256'][:12]}`" if "weights_sha256" in row["cpu"] else NONE,
                       *(bits(row["results"].get(e, {"reason": "", "kind": "time"})) for e in ["default", *executors])] for row in report["matrix"]))]
    missing = gathered(missing_rows(report))
    lines += ["## Not measured", "", *(table(["what", "by ", "why "], missing) if missing else ["Nothing is missing.", ""])]
    lines += [f"Times are medians over rounds (whole ones: {report['rounds']}) of 3 runs; in each, CPU and default in turn, then forced executors.",
              "csv, synthetic and start/version need no device, and are not in it."]
    return "\n".join(lines) + "\n"
