"""Make mailbox.csv: seven weeks of mail to the shop of tickets.csv, as a queue of mail really looks.

    python notebooks/data/make_mailbox.py

Beside plain questions there are people who write twice, in another language, in capitals, with their card's number in
the text, or who send an empty mail; some are in danger, some are no customers. In week 7 a new kettle is out, and most
of the mail is about things that nobody wrote of before. All of it is made up: the numbers of cards and accounts are
those that banks publish for tests. The same mail every time.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

from make_tickets import CLOSERS, POINTS, make_ticket, mistype, say, sentence

SEED = 7
WEEKS = {1: 100, 2: 100, 3: 100, 4: 100, 5: 200, 6: 200, 7: 200}
COLUMNS = ["id", "week", "sender", "text", "team", "urgent", "repeat_of"]

URGENT = {
    "bug": [
        "the {thing} (smokes|smells of burning|gives off sparks) when I plug it in",
        "my son (burnt his hand|got a shock) when he touched the {thing}",
        "the fuse blows whenever the {thing} is on, is that dangerous?",
        "the handle came off with boiling water in the {thing}",
    ],
    "account": [
        "somebody ordered three times with my account (today|last night), stop it",
        "I get mails of orders that I never made, my account was (hacked|stolen)",
        "a stranger changed the address in my account (an hour ago|this morning)",
    ],
    "billing": [
        "my lawyer will write to you on (Monday|Friday) if the {amount} is not back",
        "you took {amount} four times and my rent bounced, call me now",
        "this is the last letter before court: pay back {amount}",
    ],
    "shipping": [
        "the {thing} is for a funeral tomorrow morning and still at the depot",
        "the courier is at the wrong door right now, he has {number}",
        "glass was broken in the box and (I cut myself|my daughter cut her finger)",
    ],
}

OTHER_LANGUAGES = {
    "billing": [
        "Die Rechnung stimmt nicht, ich habe nur {amount} bestellt",
        "Wo bleibt meine Erstattung? Ich warte seit {month}",
        "Je voudrais une facture pour la commande {number}",
        "Me han cobrado dos veces, son {amount} de más",
    ],
    "bug": [
        "Die App stürzt ab, sobald ich sie öffne",
        "L'écran reste noir depuis la mise à jour",
        "La aplicación no encuentra el hervidor",
        "Fehler E4 beim Einschalten, was tun?",
    ],
    "account": [
        "Ich komme nicht mehr in mein Konto",
        "Je n'arrive plus à me connecter",
        "Quiero borrar mi cuenta y todos mis datos",
        "Das Passwort wird nicht angenommen",
    ],
    "shipping": [
        "Das Paket {number} ist nicht angekommen",
        "Où est mon colis? Je l'attends depuis {month}",
        "El paquete llegó roto y falta la tapa",
        "Der Bote hat es im Regen stehen lassen",
    ],
    "praise": [
        "Vielen Dank, der Kessel ist wunderbar",
        "Merci, tout est parfait",
        "Muchas gracias, funciona muy bien",
    ],
}

NEW_KETTLE = {
    "billing": [
        "the (trial|plan) of the Smart Kettle renewed by itself, (cancel it|I never agreed)",
        "the trade-in for my old one was {amount}, you (took off|counted) nothing",
        "the pre-order deposit was kept although I stepped back",
    ],
    "bug": [
        "the Smart Kettle (loses the wifi|drops the pairing) every (hour|night)",
        "firmware 2.0 (does not install|hangs at 99 percent|bricked it)",
        "the voice assistant does not (hear|understand) the Smart Kettle",
        "the Smart Kettle thinks that it is in Australia",
    ],
    "account": [
        "the Smart Kettle wants a second factor that I never set up",
        "how do I hand my Smart Kettle over to a new owner?",
        "my (sister|flatmate) can boil water from her phone, take her off",
    ],
    "shipping": [
        "the Smart Kettle was promised for launch day, (when does it leave|why is it late)?",
        "the locker (did not open|swallowed my code|was full)",
        "you split my pre-order in two, where is the base?",
    ],
    "praise": [
        "the Smart Kettle is (worth the wait|magic|the future)",
        "waking up to hot water, (bravo|brilliant)",
    ],
}

PRIVATE = [
    "My card is 4111 1111 1111 1111.",
    "Card 5555 5555 5555 4444, as on the bill.",
    "My account is DE89 3704 0044 0532 0130 00.",
    "Call me: +44 20 7946 0958.",
]
ANGRY = ["This is the THIRD time.", "I am DONE with you.", "Shame on you!!", "Unbelievable.", "Do you even read this?"]
EMPTY = ["", " ", "Sent from my phone", "--", "see attachment"]
AGAIN = ["Again:", "I wrote this already:", "No answer yet.", "??"]
NAMES = "ida marek noor paul tess yusuf lena oskar ada ben chloe dario emil fay goran hana ivo june kai lou mia nils"


def sender_of(dice: random.Random) -> str:
    """Return an address; one in fifty is of no provider that customers have."""
    name = f"{dice.choice(NAMES.split())}.{dice.choice('abcdefghklmnprstw')}"
    return f"{name}@{'win-a-cruise.test' if dice.random() < 0.02 else dice.choice(['mail.example', 'post.example'])}"


def plain(week: int, dice: random.Random) -> tuple[str, str, bool]:
    """Return the text of a mail, the team it is for, and whether it is urgent."""
    roll, team = dice.random(), dice.choice(list(POINTS))
    if roll < 0.10:
        team = dice.choice(list(URGENT))
        return sentence(say(dice.choice(URGENT[team]), dice)), team, True
    if roll < 0.16:
        return sentence(say(dice.choice(OTHER_LANGUAGES[team]), dice)), team, False
    if week >= 7 and roll < 0.8:
        return sentence(say(dice.choice(NEW_KETTLE[team]), dice)), team, False
    return (*make_ticket(team, dice), False)


def make_mail(week: int, before: list[dict[str, object]], dice: random.Random) -> dict[str, object]:
    """Return a mail; one in twelve is a second letter about the same."""
    roll = dice.random()
    if roll < 0.08 and len(before) > 20:
        first = dice.choice(before[-20:])
        if first["text"] not in EMPTY and not first["repeat_of"]:
            text = f"{dice.choice(AGAIN)} {mistype(str(first['text']), dice)}"
            return {**first, "week": week, "text": text, "repeat_of": first["id"]}
    sender = sender_of(dice)
    if roll > 0.97:
        return {"week": week, "sender": sender, "text": dice.choice(EMPTY), "team": "", "urgent": False}
    text, team, urgent = plain(week, dice)
    if dice.random() < 0.10 and team != "praise":
        text = f"{text} {dice.choice(ANGRY)}"
        text = text.upper() if dice.random() < 0.3 else text
    if dice.random() < 0.12 and team in ("billing", "account"):
        text = f"{text} {dice.choice(PRIVATE)}"
    elif dice.random() < 0.1:
        text = f"{text} {say(dice.choice(CLOSERS), dice)}"
    return {"week": week, "sender": sender, "text": text, "team": team, "urgent": urgent}


def make_mailbox() -> list[dict[str, object]]:
    """Return all mail in the order in which it came in."""
    dice = random.Random(SEED)
    found: list[dict[str, object]] = []
    for week, count in WEEKS.items():
        for _ in range(count):
            mail = make_mail(week, found, dice)
            row = {"repeat_of": "", **mail, "id": f"M{len(found) + 1:04}", "urgent": int(bool(mail["urgent"]))}
            found.append({name: row[name] for name in COLUMNS})
    return found


if __name__ == "__main__":
    path = Path(__file__).with_name("mailbox.csv")
    mails = make_mailbox()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(mails)
    print(f"{path.name}: {len(mails)} mails, {path.stat().st_size} bytes")
