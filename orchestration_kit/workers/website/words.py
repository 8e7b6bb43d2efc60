"""The small vocabularies by which a goal is read. Lower case; for membership tests only."""

# ruff: noqa: SIM905 - words in running text are easier to read and to add to than quoted ones

ASKING = frozenset(
    "a an the i we you please can could would want wants need needs like to me us my our your their "
    "build building create creating make making design designing develop write generate launch set "
    "up do give produce prepare craft put together "
    "website websites site sites web page pages webpage homepage home online internet landing "
    "company business one-page single-page multi-page html css should must have has is are be it its this "
    "und für eine einen ein erstelle baue webseite "
    "crea crear haz hacer una un el la sitio página para de mi "
    "crée créer fais faire le les site pour notre mon ma "
    "crie criar faça um uma "
    "сделай сделать создай создать построй построить сайт веб-сайт страницу нужен "
    "أنشئ اصنع صمم موقع موقعا موقعًا إلكتروني "
    "웹사이트 사이트 만들어줘 만들어 위한".split()
)
"""Words that ask for a site and say nothing about it."""

PRAISE = frozenset(
    "new nice modern beautiful simple great good small big clean fresh responsive accessible elegant "
    "professional minimal minimalist static".split()
)
"""Words that say how a site should be, unless they are part of a name: New York."""

SUBJECT_MARKERS = frozenset(
    "for about of promoting showcasing presenting selling sells offering offers building builds "
    "making makes teaching teaches covering featuring organizing organises organizes providing "
    "provides helping helps für über para sobre pour sur для о об про".split()
)
"""After one of these, a goal says what the site is about."""

TOPIC_MARKERS = frozenset(
    "about on selling sells offering offers builds makes teaching teaches covering featuring "
    "showcasing providing provides über sobre sur о об про with".split()
)
"""After one of these, a goal lists things the site should speak of."""

STOPS = frozenset(
    "in near at from with that which who where when called named titled around by so because as "
    "into using including via via through it's its en em à aus mit bei в на с con avec".split()
)
"""A phrase ends before one of these."""

PLACE_MARKERS = frozenset("in near at from around aus bei em à".split())
NAME_MARKERS = frozenset("called named titled entitled namens llamado llamada chamada appelée".split())
CONNECTORS = frozenset("of and & the de la le du di da van von der des y e".split())
"""Small words that may stand inside a proper name."""

MONTHS = frozenset("january february march april may june july august september october november december".split())
SEASONS = frozenset("spring summer autumn fall winter".split())
WEEKDAYS = frozenset("monday tuesday wednesday thursday friday saturday sunday".split())

ACRONYMS = frozenset("faq faqs cv css html js seo rsvp api ui ux b2b saas ai it pdf".split())
"""Written in capitals, yet no names."""

# Chinese and Japanese put no spaces between words; these chunks are what asks for a site.
CJK_ASKING = (
    "帮我", "请", "建立", "创建", "制作", "設計", "设计", "一个", "一個", "网站", "網站", "网页", "為", "为",
    "给", "做", "建", "のための", "ウェブサイト", "ホームページ", "サイト", "を作って", "ください", "作成",
)  # fmt: skip
