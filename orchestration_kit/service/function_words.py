"""Words that hold a sentence together: they part its clauses, and tell nothing of what is wanted.

English and German, some of French and Spanish, in small letters and without accents.
"""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


LIST_BREAKS = _set(", & ( ) and und et y e plus sowie")
"""Between these stand parts of one list as well as orders."""
BREAKS = _set(
    """. ; : ! ? \u2013 \u2014 then afterwards finally before after once unless until but next first lastly dann danach
    anschliessend zuerst schliesslich bevor nachdem sobald aber puis ensuite luego"""
) | {"\n"}
"""Between these stand orders."""
CONDITIONS = _set("before after once unless until bevor nachdem sobald")
"""What comes after one of these has to be so for the other."""
ABOUT = _set("about regarding concerning on uber bezuglich")
TOPIC = ABOUT | _set(
    """for whether ob with that what which whose who where fur mit zu zum zur pour sur avec para sobre con"""
)
"""What comes after one of these says what a thing is about, or for."""
NEGATIONS = _set("not no never without nicht kein keine keinen ohne nie niemals")
OBJECTS = _set(
    """it this that these those them the a an my our your his her their its me us all each every any some es sie ihn den
    die das dem der ein eine einen alle jede jeden jedes mein meine meinen unser unsere"""
)
"""What stands after an order: 'teach my', 'delete all'."""
SPEAKERS = _set("i we he she they it there ich wir er sie es")
VERBS_OF_BEING = _set("is are was were have has had ist sind war waren hat haben")
REQUESTS = _set(
    """need needs want wants like please would should must wish hope help looking require requires to brauche brauchen
    mochte mochten hatte hatten will wollen soll bitte let lets"""
)
"""A clause with one of these asks for something, whoever speaks."""
POLITE = _set(
    """please kindly can could would will you i we want need like to lets let us also just now bitte ich wir will mochte
    brauche kannst du mir"""
)
SENDING = _set("email mail maile")
"""Things that are orders as well: 'email it'."""
THINGS = _set("post")
"""As an order it is something else than as a thing: 'post it' and 'a post'."""
STOP_WORDS = (
    OBJECTS
    | POLITE
    | TOPIC
    | _set(
        """
        and or of in into at by from as is are be been being was were am do does did done doing has have had having
        shall should may might must so if else than too very more most much many few several other another one ones two
        both own same such out up down off over under again here there how why whom whichever while because during per
        via between among against through within upon across towards he she they himself herself itself myself yourself
        thing things something anything everything somebody anybody everybody someone anyone everyone nobody nothing
        whether

        make makes making made create creates creating created build builds building built get gets getting give gives
        giving go goes going put puts help helps set start run runs use uses using take takes taking keep turn turns
        produce produces provide provides handle handles manage manages perform performs develop develops

        goal task job work works worker workers agent agents assistant bot ai llm model generic kit
        new good nice great best better well really simple modern quick quickly fast asap thanks thank hello hi dear

        und oder aber auch von aus bei nach im ins am auf als ist sind sein war werden wird wurde hat haben soll sollen
        kann konnen muss mussen noch nur schon sehr mehr etwas alles uns euch ihr ihre ihren neue neuen neues neuer gute
        gutes schone baue bau bauen erstelle erstellen mach mache machen hilf gib danke

        un une des du de la le les ou el los las al hola crea crear creer cree fais faire hacer haz
        """
    )
)
"""Words that stand everywhere, and verbs of all work ('make', 'create')."""
