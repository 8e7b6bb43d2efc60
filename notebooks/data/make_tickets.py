"""Make tickets.csv: support tickets of a small shop that never was. Every text in here is our own.

    python notebooks/data/make_tickets.py

The same tickets every time. `(a|b|c)` in a text stands for one of these, `{thing}` for one of THINGS.
One ticket in three mentions something beside its point, some are about two things at once, some have typing
mistakes: a classifier that learns from them is good, and not perfect.
"""

from __future__ import annotations

import csv
import random
import re
from pathlib import Path

TICKETS = 360
SEED = 42

SLOTS = {
    "thing": ["kettle", "grinder", "milk frother", "kitchen scale", "coffee press", "teapot", "toaster", "filter set"],
    "amount": ["14.90", "19", "27.50", "34.00", "49.95", "62", "89"],
    "days": ["two days", "three days", "a week", "ten days", "two weeks", "nearly a month"],
    "month": ["January", "March", "May", "June", "September", "November"],
    "number": ["10233", "10418", "20077", "31905", "44120", "51862", "60341", "78114"],
    "name": ["Ida", "Marek", "Noor", "Paul", "Tess", "Yusuf", "Lena", "Oskar"],
}

POINTS = {
    "billing": [
        "(I was|we were|you have) (charged|billed|debited) (twice|two times|double) for order {number}",
        "(please|could you) send (me|us) (an invoice|a receipt|a proper bill) for the {thing}",
        "the (invoice|bill|receipt) says {amount}, (I paid|the page said|we agreed on) less",
        "where is my refund? the {thing} went back {days} ago",
        "the (voucher|discount code|coupon) was not (taken off|applied|counted)",
        "my (card|bank) (refuses|declines) the payment although there is money on it",
        "can I pay (by invoice|in two parts|by bank transfer) instead of by card?",
        "you still owe me {amount} from {month}",
        "our company needs the VAT number on (the invoice|that bill)",
        "why does the subscription for filters cost {amount} now?",
        "an amount of {amount} (was taken|left my account) in {month} and I do not know what for",
        "(I cancelled|we sent back) the {thing}, the money (is not here|never came back)",
        "is the price with or without (tax|shipping)?",
        "the reminder says I have not paid. I have, on the 3rd of {month}",
    ],
    "bug": [
        "the app (crashes|closes|freezes) (when I open|as soon as I tap on) (recipes|the timer|settings)",
        "the {thing} does not (connect to|show up in|talk to) the app (any more|since the update)",
        "error (17|E4|502) (comes up|appears|is all I see) when I press start",
        "the page for the {thing} (stays white|never loads|shows only half)",
        "the timer (stops|jumps back|shows minus four) after a minute",
        "the {thing} (switches off|beeps|blinks red) in the middle, every time",
        "since the (last update|new version) nothing (works|reacts|saves)",
        "search finds nothing, even (kettle|coffee|your own name)",
        "the basket is empty again whenever I (go back|reload|switch tabs)",
        "the display (shows 888|is upside down|flickers) and the {thing} does not heat",
        "I tap on save and (nothing happens|it turns forever|the screen goes grey)",
        "the scale is off by {amount} grams, even after (a reset|new batteries)",
        "(notifications|reminders) come at three in the night",
        "the German page is half in Danish",
    ],
    "account": [
        "I (cannot|can't|am not able to) (log in|sign in|get in) (any more|since Monday|with my new phone)",
        "(please|could you) (delete|close|remove) my account and (all my data|everything in it)",
        "the password mail (never arrives|does not come|goes to my old address)",
        "I want to change my (mail address|name|phone number) to the one below",
        "somebody (else uses|has logged in to|got into) my account",
        "the code for signing in is (wrong|too old|refused) every time",
        "I have two accounts, can you (merge them|make one of them|join them)?",
        "my account is (locked|blocked|suspended) and I do not know why",
        "how do I add my (husband|colleague|daughter) {name} to the account?",
        "please take me off the newsletter, the link does nothing",
        "my birthday is wrong in the profile",
        "which data do you keep about me?",
        "my loyalty points are gone from the profile",
        "the confirmation link says it was used already",
    ],
    "shipping": [
        "where is (my order|my parcel|the {thing})? it was due {days} ago",
        "the (parcel|box|package) (came open|was soaked|is torn) and the {thing} has a dent",
        "tracking says delivered, (I have nothing|nobody was here|the neighbours know nothing)",
        "you sent (a {thing}|the wrong size|somebody else's order) instead of what I ordered",
        "can order {number} go to (another address|my office|a parcel shop)?",
        "only (half of|one part of) the order was in the box",
        "do you (ship|deliver|send) to (Norway|Malta|an island)?",
        "the courier (left it in the rain|threw it over the fence|rang once and was gone)",
        "how do I send the {thing} back? there is no label",
        "it has been at the depot for {days}",
        "the lid of the {thing} was missing from the parcel",
        "can it be here before (Friday|the weekend|the 12th of {month})?",
        "order {number} still says packing, after {days}",
        "customs wants {amount} before they hand it over",
    ],
    "praise": [
        "(I love|we all love|my mother loves) the {thing}",
        "best {thing} (I ever had|in years|for the money)",
        "{name} on the phone was (so kind|patient with me|quick and clear)",
        "just wanted to say (thank you|thanks|well done)",
        "the {thing} (still runs|works like new) after four years",
        "what a lovely card in the box",
        "(five stars|ten of ten) from us",
        "the new recipes in the app are (great|a joy|a lovely idea)",
        "you solved in a minute what others could not in {days}",
        "my tea never tasted like this",
        "please tell {name} that everything (arrived|works|is fine) now",
        "so quiet, so quick, so pretty",
        "I have told all my friends about you",
        "keep it up",
    ],
}

ASIDES = [
    "The {thing} itself is fine.",
    "I paid by card.",
    "It is for my mother.",
    "My order number is {number}.",
    "I ordered in {month}.",
    "The app says everything is in order.",
    "Delivery was quick, that is not it.",
    "I like the {thing} a lot, by the way.",
    "I have an account with you since {month}.",
    "I logged in with my old mail address.",
    "The invoice came with the parcel.",
    "The parcel came today.",
    "I wrote on the 3rd and got no answer.",
    "Otherwise a great shop.",
    "My neighbour has the same.",
    "I had to pay {amount} for it.",
    "We updated the app yesterday.",
]

TWO_THINGS = [  # about two things at once, or about next to nothing: the desk gave some to one team, some to the other
    ("I am charged every month and cannot log in to stop it", "billing|account"),
    ("charged twice, because the page froze and I pressed pay again", "billing|bug"),
    ("the app lost my address, so the {thing} went to the old flat", "shipping|bug"),
    ("the {thing} came broken: money back or a new one, I do not mind", "shipping|billing"),
    ("the voucher page crashes, I want my {amount} off", "bug|billing"),
    ("love the {thing}, hate the app, it never finds the thing", "bug|praise"),
    ("thank you for the refund, it is {amount} short", "billing"),
    ("the tracking page shows an error", "bug|shipping"),
    ("the code that you sent me does not work", "account|billing"),
    ("my points were not taken off the bill", "billing|account"),
    ("wonderful {thing}! where can I download the invoice?", "billing|praise"),
    ("nothing works", "bug|account"),
    ("it is gone", "account|shipping"),
    ("still waiting", "shipping|billing"),
    ("same problem as last time", "bug|account"),
    ("please call me back about {number}", "billing|shipping"),
    ("the return label does not open on my phone", "shipping|bug"),
    ("great, it beeps at night again", "bug"),
    ("so quick! only that it is the wrong one", "shipping|praise"),
    ("thanks for nothing, {name}", "account|shipping"),
]

OPENERS = ["Hello,", "Hi,", "Good morning,", "Dear team,", "Dear shop,", "Hi there,", "To whom it may concern:"]
CLOSERS = [
    "Thanks!",
    "Thank you.",
    "Please help.",
    "Best, {name}",
    "Regards, {name}",
    "{name}",
    "Waiting for an answer.",
]


def say(text: str, dice: random.Random) -> str:
    """Choose one of each `(a|b)`, and fill the slots."""
    while "(" in text:
        text = re.sub(r"\(([^()]*)\)", lambda found: dice.choice(found[1].split("|")), text)
    return re.sub(r"\{(\w+)\}", lambda found: dice.choice(SLOTS[found[1]]), text)


def sentence(text: str) -> str:
    """Begin with a capital letter, end with a mark."""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?!" else ".")


def mistype(text: str, dice: random.Random) -> str:
    """Swap, drop or double a letter in a few words."""
    words = text.split(" ")
    for place in dice.sample(range(len(words)), k=min(len(words), 3)):
        word = words[place]
        if len(word) > 4 and word.isalpha():
            at = dice.randrange(1, len(word) - 2)
            words[place] = (
                word[:at] + dice.choice([word[at + 1] + word[at], word[at + 1], word[at] * 2]) + word[at + 2 :]
            )
    return " ".join(words)


def make_ticket(team: str, dice: random.Random) -> tuple[str, str]:
    """Return a text and the team it is for."""
    if dice.random() < 0.1:
        point, teams = dice.choice(TWO_THINGS)
        team = dice.choice([teams.split("|")[0], *teams.split("|")])  # two times in three the first
    else:
        point = dice.choice(POINTS[team])
    parts = [sentence(say(point, dice))]
    if dice.random() < 0.35:
        parts.insert(dice.randrange(2), say(dice.choice(ASIDES), dice))
    if dice.random() < 0.12:
        parts.append(sentence(say(dice.choice(POINTS["praise"]), dice)))
    if dice.random() < 0.4:
        parts.insert(0, dice.choice(OPENERS))
    if dice.random() < 0.4:
        parts.append(say(dice.choice(CLOSERS), dice))
    text = " ".join(parts)
    if dice.random() < 0.25:
        text = mistype(text, dice)
    return (text.lower() if dice.random() < 0.2 else text), team


def make_tickets() -> list[dict[str, str]]:
    """Return all tickets, no text twice, in the order in which they came in."""
    dice = random.Random(SEED)
    teams = list(POINTS)
    found: dict[str, str] = {}
    while len(found) < TICKETS:
        text, team = make_ticket(dice.choice(teams), dice)
        found.setdefault(text, team)
    return [{"id": f"T{n:03}", "text": text, "team": team} for n, (text, team) in enumerate(found.items(), 1)]


if __name__ == "__main__":
    path = Path(__file__).with_name("tickets.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["id", "text", "team"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(make_tickets())
    print(f"{path.name}: {TICKETS} tickets, {path.stat().st_size} bytes")
