"""Goals that do the same to each of many: map and reduce; and data that goes through a row of hands."""

from __future__ import annotations

from dataclasses import replace

from orchestration_kit.definition import WorkflowDefinition
from orchestration_kit.service.catalogue.entry import Entry, Filled, Role
from orchestration_kit.service.catalogue.people import SUMMARIZER
from orchestration_kit.templates import create_gated_chain, create_map_reduce
from orchestration_kit.templates.parts import AnyWorker

_ITEMS = "data.items"

LOADER = Role(
    name="loader",
    types=("loader", "reader", "splitter", "collector", "crawler", "fetcher", "extractor", "importer", "scraper"),
    does="load it",
    words="load, loader, read, reader, split, splitter, collect, collector, fetch, fetcher, crawl, crawler, import, "
    "importer, scrape, scraper, ingest, download, list, lade, laden, sammle, lese",
)
ONE_BY_ONE = Role(
    name="worker",
    types=("mapper", "document_worker", "item_worker"),
    does="do it for one of them",
    words="mapper, each item, one item, each document, one document, single document",
    by_goal=True,
)
CLEANER = Role(
    name="cleaner",
    types=("cleaner", "data_cleaner", "data_engineer", "transformer"),
    does="clean data",
    words="clean, cleaner, cleanse, cleaning, cleansing, scrub, deduplicate, dedupe, normalise, normalize, impute, "
    "bereinige, bereinigen, bereinigung, saubern",
)
VALIDATOR = Role(
    name="validator",
    types=("validator", "data_validator", "checker", "tester", "reviewer"),
    does="validate data",
    words="validate, validator, validation, check, checker, verify, quality, test, prufe, prufen, validiere",
    follows=True,
)
STORER = Role(
    name="storer",
    types=("storer", "saver", "exporter", "archiver"),
    does="store it",
    words="store, save, saver, export, exporter, archive, upload, database, warehouse, publish, report, speichere, "
    "speichern",
    follows=True,
)


def _each(filled: Filled) -> WorkflowDefinition:
    source = filled.one("loader") if filled.has("loader") else _ITEMS
    return create_map_reduce(source, filled.one("worker"), filled.maybe("summarizer"), name="each_of_many")


def _clean(filled: Filled) -> WorkflowDefinition:
    names = {"loader": "load", "cleaner": "clean", "validator": "validate", "storer": "store"}
    steps: dict[str, AnyWorker] = {names[role]: filled.one(role) for role in names if filled.has(role)}
    valid = "!has(output.valid) || output.valid == true"
    return create_gated_chain(steps, {"validate": valid} if filled.has("validator") else None, name="clean_data")


ENTRIES = (
    Entry(
        name="each_of_many",
        about="Do the same to each of many things at once, and put together what came of them",
        example="Summarise each of 500 documents, and make one report of them",
        words="=documents, =files, =pdfs, =papers, =pages, =records, =rows, =invoices, =contracts, =articles, "
        "=reviews, =emails, =mails, =tickets, =images, =photos, =transcripts, =resumes, =applications, =urls, =texts, "
        "=books, =letters, =comments, =messages, =products, "
        "each document, every document, all documents, each of, every one, one by one, batch, bulk, map reduce, "
        "mapreduce, in parallel, dokumente, dateien, rechnungen, jedes, jede",
        also="document, file, pdf, paper, invoice, each, every, all, many, hundreds, thousands, report, put together, "
        "combine, collect, folder, inbox, archive",
        roles=(
            replace(LOADER, is_required=False),
            ONE_BY_ONE,
            replace(SUMMARIZER, is_required=False),
        ),
        build=_each,
        notes="The list comes from the worker that makes it; without one, give it with the run: "
        "pipeline.run(data={'items': [...]}).",
    ),
    Entry(
        name="clean_data",
        about="Clean data: load, clean, validate and store it, where somebody can",
        example="Clean the customer data, and validate it",
        words="clean data, clean the data, data cleaning, data cleansing, clean, cleanse, cleaning, data quality, "
        "deduplicate, dedupe, duplicates, remove duplicates, missing values, normalise data, normalize data, etl, "
        "data pipeline, wrangle, data wrangling, tidy data, bereinige, bereinigen, daten bereinigen, "
        "datenbereinigung",
        also="data, dataset, csv, table, tables, rows, columns, records, spreadsheet, excel, values, outliers, daten, "
        "customer, load, validate, store, export, database",
        roles=(
            replace(LOADER, is_required=False),
            CLEANER,
            replace(VALIDATOR, is_required=False),
            replace(STORER, is_required=False, only_if_asked=True),
        ),
        build=_clean,
        notes='Data goes no further where the validator gives {"valid": False}.',
    ),
)
