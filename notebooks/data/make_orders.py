"""Make orders_messy.csv, and orders_clean.csv: a file as a shop really sends it, and what should have stood in it.

    python notebooks/data/make_orders.py

The same files every time, of a shop that never was. `write_orders(folder, seed=3)` makes another pair, broken in
other places. A row of the clean file says which line of the messy one it is about; a line that is in none of its rows
is there twice.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from collections.abc import Callable, Iterable
from pathlib import Path

COLUMNS = ["order_id", "ordered_on", "customer", "city", "item", "quantity", "price", "amount", "weight_kg"]
FIRST_DAY = dt.date(2026, 1, 5)
ITEMS = {  # what a piece costs in euros, and weighs in kilograms
    "Kettle": (49.50, 1.2),
    "Toaster": (62.00, 2.1),
    "Grinder": (89.00, 1.8),
    "Kitchen scale": (27.50, 0.6),
    "Teapot, blue": (34.00, 0.9),
    "Teapot, white": (34.00, 0.9),
    "Filters, size 4": (4.90, 0.15),
    "Coffee press": (31.90, 0.7),
}
CITIES = ["Oslo", "Malmö", "Zürich", "Köln", "Århus", "Lyon", "Graz", "Gdańsk", "Málaga", "Turku", "Leeds", "Nîmes"]
FIRST = ["Ida", "Marek", "Noor", "Paul", "Tess", "Yusuf", "Lena", "Óscar", "Zoë", "Jürgen", "Anaïs", "Søren"]
LAST = ["Berg", "Müller", "Haddad", "Ström", "García", "Okoye", "Lefèvre", "Kim", "Novák", "Walsh"]

Row = dict[str, str]
Breaker = Callable[[Row, random.Random], None]


def clean_orders(count: int, seed: int) -> list[Row]:
    """Return orders as they should be, in the order of their dates."""
    dice = random.Random(f"orders {seed}")
    number, day, rows = dice.randrange(1_000, 3_000), FIRST_DAY, list[Row]()
    people = [(f"{first} {last}", dice.choice(CITIES)) for first in FIRST for last in LAST]
    bulk = set(dice.sample(range(count), max(1, count // 200)))
    while len(rows) < count:
        number += dice.randrange(1, 4)
        again = bool(rows) and dice.random() < 0.035  # somebody orders the same thing twice, and means it
        (customer, city), item = dice.choice(people), dice.choice(list(ITEMS))
        if again:
            customer, city, item = (rows[-1][key] for key in ("customer", "city", "item"))
        elif dice.random() < 0.18:
            day += dt.timedelta(days=1)
        quantity = dice.randrange(330, 600) if len(rows) in bulk else dice.choice([1, 1, 1, 2, 2, 3, 4])
        price, weight = ITEMS[item]
        amount = quantity * price * (0.9 if dice.random() < 0.006 else 1)  # a few get a discount
        texts = (customer, "" if dice.random() < 0.04 else city, item, str(quantity), f"{price:.2f}", f"{amount:.2f}")
        rows.append(
            dict(zip(COLUMNS, (f"{number:06}", day.isoformat(), *texts, f"{weight * quantity:.2f}"), strict=True))
        )
    return rows


def other_date(row: Row, dice: random.Random) -> None:
    """Write the date as a person, or as another till, would."""
    forms = ["%d.%m.%Y", "%d.%m.%Y", "%b %d, %Y", "%d/%m/%Y", "%m/%d/%Y"]
    row["ordered_on"] = dt.date.fromisoformat(row["ordered_on"]).strftime(dice.choice(forms))


def day_number(row: Row, _: random.Random) -> None:
    """Write the date as a spreadsheet keeps it: in days since the end of 1899."""
    if row["ordered_on"][:5] == "2026-":
        row["ordered_on"] = str((dt.date.fromisoformat(row["ordered_on"]) - dt.date(1899, 12, 30)).days)


def other_number(row: Row, dice: random.Random) -> None:
    """Write a price or an amount with a comma, dots between thousands, or a sign."""
    column = dice.choice(["price", "amount"])
    value = row[column]
    comma = f"{float(value):,.2f}".translate(str.maketrans(",.", ".,"))
    row[column] = dice.choice([comma, comma, f"€ {value}", f"{value} EUR"])


def lost_zeros(row: Row, _: random.Random) -> None:
    """Take the id for a number."""
    row["order_id"] = str(int(row["order_id"]))


def more_blanks(row: Row, dice: random.Random) -> None:
    """Leave blanks at the end, or two between words."""
    column = dice.choice(["customer", "city", "item"])
    value = row[column]
    row[column] = value.replace(" ", "  ", 1) if " " in value and dice.random() < 0.4 else f"{value} "


def no_value(row: Row, dice: random.Random) -> None:
    """Write a word where nothing is known."""
    row["city"] = row["city"] or dice.choice(["N/A", "n/a", "NULL", "-", ""])


def wrong_encoding(row: Row, _: random.Random) -> None:
    """Read UTF-8 as if it were Latin-1."""
    for column in ("customer", "city"):
        row[column] = row[column].encode().decode("latin-1")


def minus(row: Row, _: random.Random) -> None:
    """Order less than nothing."""
    row["quantity"] = f"-{row['quantity']}"


def lost_point(row: Row, _: random.Random) -> None:
    """Lose the decimal point of the amount."""
    row["amount"] = row["amount"].replace(".", "")


def swapped(row: Row, _: random.Random) -> None:
    """Swap the two digits before the point."""
    whole, _, cents = row["amount"].partition(".")
    row["amount"] = f"{whole[:-2]}{whole[-2:][::-1]}.{cents}"


def grams(row: Row, _: random.Random) -> None:
    """Weigh in grams."""
    row["weight_kg"] = f"{float(row['weight_kg']) * 1000:.2f}"


SHARES: dict[str, tuple[Breaker, float]] = {
    "swapped": (swapped, 0.004),
    "lost point": (lost_point, 0.006),
    "other number": (other_number, 0.12),
    "other date": (other_date, 0.22),
    "lost zeros": (lost_zeros, 0.08),
    "more blanks": (more_blanks, 0.06),
    "no value": (no_value, 1.0),
    "wrong encoding": (wrong_encoding, 0.1),
    "minus": (minus, 0.007),
    "grams": (grams, 0.015),
}
"""What breaks a row, and how many rows it breaks; sums are spoiled in one way only."""
NEW: dict[str, tuple[Breaker, float]] = {"day number": (day_number, 0.04)}
"""What nobody has seen before."""
_ONE_OF = ("swapped", "lost point", "other number", "minus")


def break_row(row: Row, dice: random.Random, shares: dict[str, tuple[Breaker, float]]) -> Row:
    """Return the row as it arrives."""
    broken, has_one = dict(row), False
    for name, (breaker, share) in shares.items():
        if dice.random() >= share or (name in _ONE_OF and has_one):
            continue
        has_one = has_one or name in _ONE_OF
        breaker(broken, dice)
    return broken


def messy_lines(rows: Iterable[Row], seed: int, *, new: bool = False) -> tuple[list[list[str]], list[int]]:
    """Return the fields of each line after the header, and for each clean row its line (the header is line 1)."""
    dice = random.Random(f"mess {seed}")
    shares = SHARES | (NEW if new else {})
    lines, places = list[list[str]](), list[int]()
    for row in rows:
        places.append(len(lines) + 2)
        for _ in range(2 if dice.random() < 0.006 else 1):  # a few are sent twice
            broken = break_row(row, dice, shares)
            fields = [broken[column] for column in COLUMNS]
            if "," in broken["item"] and dice.random() < 0.05:  # nobody put it in quotes
                fields[4:5] = broken["item"].split(",")
            lines.append(fields)
    return lines, places


def as_csv(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as the text of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def write_orders(folder: Path, *, seed: int, count: int = 1_000, new: bool = False) -> tuple[Path, Path]:
    """Write a messy file and the clean one that it should have been; return their paths.

    Args:
        folder: Where to; it has to exist.
        seed: Other orders, broken in other places.
        count: How many orders.
        new: With a kind of mess that the others do not have.
    """
    clean = clean_orders(count, seed)
    lines, places = messy_lines(clean, seed, new=new)
    messy_path, clean_path = Path(folder) / "orders_messy.csv", Path(folder) / "orders_clean.csv"
    messy_path.write_text(as_csv([COLUMNS, *lines]), encoding="utf-8")
    rows = [[line, *row.values()] for line, row in zip(places, clean, strict=True)]
    clean_path.write_text(as_csv([["line", *COLUMNS], *rows]), encoding="utf-8")
    return messy_path, clean_path


if __name__ == "__main__":
    for path in write_orders(Path(__file__).parent, seed=16):
        print(f"{path.name}: {path.stat().st_size} bytes")
