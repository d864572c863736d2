"""Tables in which a few rows hold what no report may show."""

import datetime as dt
import re

import numpy as np
import pyarrow as pa

ROWS = 600
ORDERS = 1_200
RARE_NUMBERS = (738291465.25, -641827359.75)
RARE_DATES = (dt.date(1677, 3, 14), dt.date(2871, 11, 5))
RARE_NAMES = ("Zanzibarovich", "Quetzalmann")
SECRET_TEXT = "the secret of Ermintrude"
MANY_CHILDREN = 743

FORBIDDEN = re.compile(
    "|".join(
        [
            *("73829146", "738,291,46", r"7\.38291\d*e", "64182735", "641,827,35", r"6\.41827\d*e"),
            *("1677-03", "2871-11", r"-92419\d{5}", r"284604\d{5}"),  # as dates, and in seconds
            *(*RARE_NAMES, "Ermintrude", r"\b743(?:\.0)?\b(?!%)"),
        ]
    )
)


def people(seed, *, plant):
    """Return a table of which some rows hold rare values, where ``plant`` says so."""
    rng = np.random.default_rng(seed)
    amounts = rng.normal(100, 20, ROWS).round(2)
    days = [dt.date(2020, 1, 1) + dt.timedelta(days=int(d)) for d in rng.integers(0, 900, ROWS)]
    towns = rng.choice(["Ur", "Nippur", "Lagash"], ROWS, p=[0.6, 0.3, 0.1]).tolist()
    words = ["barley", "silver", "oxen", "canal", "harvest", "scribe", "temple", "reeds", "clay"]
    notes = [" ".join(rng.choice(words, int(n))) for n in rng.integers(5, 12, ROWS)]
    if plant:
        for place, (amount, day) in enumerate(zip(RARE_NUMBERS, RARE_DATES, strict=True)):
            amounts[place], days[place] = amount, day
        towns[:9], towns[9] = [RARE_NAMES[0]] * 9, RARE_NAMES[1]
        notes[3] = f"{SECRET_TEXT} {'reeds ' * 99}"
    columns = {
        "amount": pa.array(amounts),
        "day": pa.array(days, pa.date32()),
        "town": pa.array(towns),
        "note": pa.array(notes),
    }
    return pa.table({"number": np.arange(ROWS), **columns})


def database(seed, *, plant):
    """Return people and their orders."""
    return {"people": people(seed, plant=plant), "orders": orders(seed, plant=plant)}


def orders(seed, *, plant):
    """Return rows that name people; where ``plant`` says so one person has very many."""
    rng = np.random.default_rng(seed)
    buyers = rng.integers(1, ROWS, ORDERS)
    if plant:
        buyers[:MANY_CHILDREN] = 0
    return pa.table(
        {"order": np.arange(ORDERS), "person": buyers, "pieces": rng.poisson(3, ORDERS)}
    )
