"""EASE and item-kNN here and in RecBole, on the same clicks and the same impressions of ml-100k.

  recbole_baselines.py --recbole FOLDER [--seed 1]

A rating of 4 or 5 is a click. The first eight tenths of the clicks by time are the training part, then
a tenth each for validation and test. An impression is one click of the last two parts with 20 films that
the user never clicked; its history is all that the user clicked before. Both sides fit on the training
part, choose their parameter (lambda, number of neighbours) on the validation part from the same grid, and
fit again on both parts. RecBole's classes get the clicks as a matrix of users and items, and score an
impression with the item weights that they fit and its history. Prints a Markdown table with AUC, MRR and
nDCG@10 of the test part.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import datetime
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/release/bin/fastformer"
DATA = ROOT / "local/recbole"
NEGATIVES = 20
GRID = {"ease": (30, 100, 300, 1000, 3000), "item_knn": (20, 50, 100, 200, 500)}
METRICS = ("auc", "mrr", "ndcg_10")


@dataclasses.dataclass(frozen=True)
class Impression:
    """A click and films that the user never clicked; positions in the list of films."""

    user: int
    time: float
    history: tuple[int, ...]
    click: int
    others: tuple[int, ...]


def read_clicks() -> tuple[list[str], dict[str, str], list[tuple[int, int, float]]]:
    """Ids of the films, their titles, and (user, film, time) by time."""
    with open(DATA / "ml-100k.item", encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    titles = {row[0]: row[1] for row in rows[1:]}
    films, users, clicks = list(titles), {}, []
    place = {film: i for i, film in enumerate(films)}
    with open(DATA / "ml-100k.inter", encoding="utf-8") as file:
        for user, film, rating, time in list(csv.reader(file, delimiter="\t"))[1:]:
            if float(rating) >= 4:
                clicks.append((users.setdefault(user, len(users)), place[film], float(time)))
    return films, titles, sorted(clicks, key=lambda click: click[2])


def impressions_of(clicks: Sequence[tuple[int, int, float]], films: int, first: int,
                   seed: int) -> list[Impression]:
    """Of all clicks from number `first` on."""
    chance = random.Random(seed)
    clicked: dict[int, set[int]] = {}
    for user, film, _ in clicks:
        clicked.setdefault(user, set()).add(film)
    before: dict[int, list[int]] = {}
    result = []
    for number, (user, film, time) in enumerate(clicks):
        history = before.setdefault(user, [])
        if number >= first and history:
            never = [i for i in range(films) if i not in clicked[user]]
            result.append(Impression(user, time, tuple(history), film,
                                     tuple(chance.sample(never, NEGATIVES))))
        history.append(film)
    return result


def write_mind(folder: pathlib.Path, impressions: Sequence[Impression], films: list[str],
               titles: dict[str, str]) -> pathlib.Path:
    """A folder in the format of MIND."""
    folder.mkdir()
    (folder / "news.tsv").write_text(
        "".join(f"{film}\tfilm\tfilm\t{titles[film]}\t\t\t\t\n" for film in films), encoding="utf-8")
    with open(folder / "behaviors.tsv", "w", encoding="utf-8") as file:
        for number, one in enumerate(impressions, start=1):
            moment = datetime.datetime.fromtimestamp(one.time, datetime.timezone.utc)
            shown = [f"{films[one.click]}-1", *(f"{films[film]}-0" for film in one.others)]
            file.write(f"{number}\tU{one.user}\t{moment:%m/%d/%Y %I:%M:%S %p}\t"
                       f"{' '.join(films[film] for film in one.history)}\t{' '.join(shown)}\n")
    return folder


def metrics(weights: np.ndarray, impressions: Sequence[Impression]) -> list[float]:
    """AUC, MRR and nDCG@10, in percent; tied scores count half, as the mean of their orders."""
    sums = np.zeros(3)
    for one in impressions:
        scores = weights[list(one.history)][:, [one.click, *one.others]].sum(axis=0)
        above, ties = np.sum(scores[1:] > scores[0]), np.sum(scores[1:] == scores[0])
        ranks = np.arange(above + 1, above + ties + 2)
        gains = np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0)
        sums += [1 - (above + ties / 2) / NEGATIVES, np.mean(1 / ranks), np.mean(gains)]
    return list(100 * sums / len(impressions))


def recbole_weights(name: str, clicks: Sequence[tuple[int, int, float]], films: int,
                    parameter: float) -> np.ndarray:
    """What a click on the row's film adds to the column's, by RecBole."""
    users = 1 + max(user for user, _, _ in clicks)
    pairs = {(user, film) for user, film, _ in clicks}
    rows, columns = zip(*pairs)
    matrix = scipy.sparse.csr_matrix((np.ones(len(pairs)), (rows, columns)), shape=(users, films),
                                     dtype=np.float32)
    # What the classes ask of RecBole's own data set, which reads other files.
    data = types.SimpleNamespace(inter_matrix=lambda form: matrix.asformat(form),
                                 num=lambda field: {"user": users, "item": films}[field])

    class Settings(dict):
        """A dictionary that also has the device as a member."""

        device = "cpu"

    settings = Settings(USER_ID_FIELD="user", ITEM_ID_FIELD="item", NEG_PREFIX="neg_", device="cpu",
                        reg_weight=parameter, k=int(parameter), knn_method="item", shrink=0.0)
    if name == "ease":
        from recbole.model.general_recommender.ease import EASE
        return np.asarray(EASE(settings, data).item_similarity)
    from recbole.model.general_recommender.itemknn import ItemKNN
    return ItemKNN(settings, data).w.toarray()


def recbole_row(name: str, clicks: Sequence[tuple[int, int, float]], films: int, train: int,
                validation: Sequence[Impression], test: Sequence[Impression],
                last: int) -> tuple[str, list[float]]:
    """The parameter with the best validation MRR, and the metrics of the test part."""
    score: Callable[[float], float] = lambda parameter: metrics(
        recbole_weights(name, clicks[:train], films, parameter), validation)[1]
    best = max(GRID[name], key=score)
    return str(best), metrics(recbole_weights(name, clicks[:last], films, best), test)


def our_rows(folder: pathlib.Path, parts: dict[str, pathlib.Path]) -> dict[str, list[float]]:
    """The rows of our baselines in the table of the test part."""
    recipe = folder / "recipe.toml"
    recipe.write_text(f"""[task]
name = "recommendation"
[data]
format = "mind"
train = ["{parts['train']}"]
validation = ["{parts['validation']}"]
test = ["{parts['test']}"]
history = 2000
[text]
minimum_count = 1
[model]
model = "nrms"
width = 16
heads = 2
query_width = 16
[model.users]
heads = 2
[model.items]
members = ["item_knn", "ease"]
[train]
max_steps = 10
""", encoding="utf-8")
    done = subprocess.run([PROGRAM, "train", recipe, "--output", folder / "run"], text=True,
                          capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.strip().splitlines()[-1])
    baselines = json.loads((folder / "run/result.json").read_text())["baselines"]
    return {row["name"]: [100 * row["scores"][metric] for metric in METRICS] for row in baselines
            if row["name"] in GRID}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recbole", required=True, help="folder of the installed package")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.path.append(given.recbole)
    films, titles, clicks = read_clicks()
    train, last = len(clicks) * 8 // 10, len(clicks) * 9 // 10
    all_impressions = impressions_of(clicks, len(films), 0, given.seed)
    times = [clicks[train][2], clicks[last][2]]
    parts = {"train": [one for one in all_impressions if one.time < times[0]],
             "validation": [one for one in all_impressions if times[0] <= one.time < times[1]],
             "test": [one for one in all_impressions if one.time >= times[1]]}
    # Equal times fall into one part.
    train, last = (sum(click[2] < time for click in clicks) for time in times)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        ours = our_rows(folder, {part: write_mind(folder / part, impressions, films, titles)
                                 for part, impressions in parts.items()})
    print(f"{len(parts['test'])} impressions\n\n| | parameter | AUC | MRR | nDCG@10 |\n|---|---|---|---|---|")
    for baseline, row in ours.items():
        print(f"| {baseline}, here | | {row[0]:.2f} | {row[1]:.2f} | {row[2]:.2f} |")
        parameter, row = recbole_row(baseline, clicks, len(films), train, parts["validation"],
                                     parts["test"], last)
        print(f"| {baseline}, RecBole | {parameter} | {row[0]:.2f} | {row[1]:.2f} | {row[2]:.2f} |")


main()
