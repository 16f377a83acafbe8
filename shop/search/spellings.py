"""Words that are one to a customer and that no stemmer brings together.

Spellings of Moroccan words in Latin letters, with their Arabic; plurals that Arabic makes inside the word;
and what people call a good when its maker calls it otherwise. A search for one finds all of its row.
"""

from __future__ import annotations

from functools import cache

from shop.search import words
from shop.search.words import Word

_ROWS = """
argan argane argania arganier أركان أرگان
amlou amlu amelou أملو أملوا
ghassoul rhassoul ghasoul غسول الغاسول
tajine tagine tajin طاجين طواجين
couscous couscouss kuskus seksou seksu ksksou كسكس كسكسو سكسو
medjool majhoul mejhoul medjoul mejhool majhool المجهول
boufeggous boufegouss bufeggous بوفقوس بوفكوس
zaafran zafran safran saffron زعفران
sellou sellu slilou sfouf سلو سليلو سفوف
kaab kaâb ka3b كعب
ghzal ghazal gazelle غزال
zemmita zamita zemeta زميتة زميطة
beldi baldi beldia بلدي بلدية
hanbel hanbal handira حنبل حنابل
zerbia zarbia zrabi tapis carpet rug زربية زرابي سجاد سجادة
mendil mandil منديل مناديل
melhfa melhafa milhfa ملحفة ملاحف
zellige zellij zelij زليج
belboula balboula belbola بلبولة
daghmous daghmus دغموس
euphorbe euphorbia فربيون
saboun sabon savon soap صابون
henne henna hena حناء
kohl khol كحل
figue fig karmouss kermous تين كرموس
cactus nopal aknari hindia barbarie صبار هندية
datte date tmar تمر تمور
noix walnut gergaa جوز كركاع
amande almond louz لوز
thym thyme zaatar zaater زعتر
romarin rosemary azir أزير إكليل
lavande lavender khzama lavandin خزامى
rose ward ورد ورود
miel honey asal assal عسل
huile oil zit zayt زيت زيوت
olive zitoun zaytoun زيتون
sel salt melha ملح
lentille lentil adess عدس
capre caper kabbar كبار قبار
cumin kamoun kamun كمون
epice spice توابل بهارات عطرية
herbe herb عشبة أعشاب
plante plant نبتة نباتات
cuir leather jeld جلد جلدية جلود
panier basket sella قفة سلة سلال قفف
cabas tote قفة
fromage cheese jben جبن أجبان
confiture jam مربى مربيات
vinaigre vinegar khal خل
ceramique ceramic poterie pottery fakhar خزف فخار
plat dish plate صحن صحون
bijou jewel jewellery jewelry parure حلي مجوهرات
argent silver noqra فضة فضية
fibule fibula tizerzai khlala خلالة
coquillage shell sadaf صدف أصداف
coussin cushion pouf وسادة وسائد
chapeau hat taraza شاشية قبعة
chamelle camel ناقة إبل جمل
chevre goat ماعز معزة
the tea atay شاي أتاي
lampe lamp lumiere ثريا مصباح
table طاولة مائدة
femme feminin feminine women woman نساء نسائية نسوية
bio organic biologique عضوي بيولوجي
rif ريف
"""


@cache
def _same() -> dict[str, tuple[str, ...]]:
    """{stem: every stem of its row}; a word in two rows has both."""
    found: dict[str, tuple[str, ...]] = {}
    for row in _ROWS.strip().splitlines():
        members = words.words(row)
        stems = tuple(dict.fromkeys(stem for each in members for stem in each.stems))
        for stem in stems:
            found[stem] = tuple(dict.fromkeys((*found.get(stem, ()), *stems)))
    return found


def every_stem(word: Word) -> tuple[str, ...]:
    """All stems under which a good may be found that is meant by this word, its own first."""
    others = (stem for own in word.stems for stem in _same().get(own, ()))
    return tuple(dict.fromkeys((*word.stems, *others)))
