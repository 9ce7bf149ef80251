"""Which language a text is in, of the thirty that IFEval asks for.

By the script of its letters, and where several languages share one, by its commonest words and letters of its own. It
is meant for answers of some sentences; of a text that is too short to tell, a language is not denied.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

_OF_SCRIPT: Mapping[str, tuple[str, ...]] = {
    "BENGALI": ("bn",),
    "THAI": ("th",),
    "TAMIL": ("ta",),
    "TELUGU": ("te",),
    "KANNADA": ("kn",),
    "GUJARATI": ("gu",),
    "GURMUKHI": ("pa",),
    "MALAYALAM": ("ml",),
    "HEBREW": ("he",),
    "HANGUL": ("ko",),
    "HIRAGANA": ("ja",),
    "KATAKANA": ("ja",),
    "CJK": ("zh", "ja"),
    "GREEK": ("el",),
    "DEVANAGARI": ("hi", "mr", "ne"),
    "CYRILLIC": ("ru", "uk", "bg"),
    "ARABIC": ("ar", "fa", "ur"),
    "LATIN": ("en", "es", "pt", "fr", "de", "it", "pl", "vi", "sw", "fi", "nl", "sv", "tr", "id", "ro"),
}
_WORDS: Mapping[str, str] = {
    "en": "the of and to in is that it for was with as you are this have be on",
    "es": "el la de que y en los se del las por un para con una no es su más como",
    "pt": "o a de que e do da em um para com não uma os no se na por mais são é",
    "fr": "le la les de des et à en du un une est que pour dans qui sur pas ce il vous",
    "de": "der die und das in zu den mit von ist nicht ein eine auf für sie dem des ich",
    "it": "il di che la e è un a per in una sono non del si della con le gli i da",
    "pl": "i w na się nie z do to że jest o jak po co tak za od przez dla są",
    "vi": "và của là có trong được cho một không với những người các này để khi",
    "sw": "na ya wa kwa ni katika za la kuwa hii cha au yake kama pia watu",
    "fi": "ja on ei se että en hän oli ovat mutta kun myös tai joka sen niin",
    "nl": "de het een en van in is dat op te zijn voor met niet aan die er",
    "sv": "och i att det som en på är av för med den till inte har om ett",
    "tr": "ve bir bu da de için ile çok olarak en daha gibi ne var olan",
    "id": "dan yang di untuk dengan ini itu dari dalam tidak akan pada adalah saya",
    "ro": "și de în la a cu că este pe un nu o din pentru mai care sunt",
    "hi": "है के में की और से का को यह हैं पर नहीं कि एक लिए था हो",
    "mr": "आहे आणि च्या ही तो या हे होते नाही मध्ये करून आहेत मी ते साठी",
    "ne": "छ र को मा हो यो छन् गर्न का लागि हुन्छ पनि भएको गर्नुहोस् तपाईं",
    "ru": "и в не на что он с как это по но они к у из за то все",
    "uk": "і в не на що він з як це та але вони до у із за є та також",
    "bg": "и в не на че той с като това по но те към е от за са се да",
    "ar": "في من على أن إلى هذا التي عن مع هو ما كان هذه أو لا",
    "fa": "و در به از که این را با است برای آن یک می های خود تا",
    "ur": "ہے کے میں کی اور سے کا کو یہ ہیں پر نہیں کہ ایک لیے تھا",
}
_LETTERS: Mapping[str, str] = {
    "uk": "іїєґ",
    "ru": "ыэё",
    "fa": "پچژگکی",
    "ur": "ٹڈڑںےہ",
    "vi": "ăđơưạảấầẩậắằẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỷỹ",
    "pl": "ąęłńśźż",
    "tr": "ğış",
    "ro": "șțăâ",
    "de": "ßäöü",
    "pt": "ãõ",
    "es": "ñ¿¡",
    "fr": "œçèêàû",
    "fi": "äö",
    "sv": "åäö",
}
_ENOUGH = 12
"""Letters of a text of which the language can be told at all."""


def is_in(text: str, code: str) -> bool:
    """Whether a text is in a language. code: as ISO 639-1 has it; `zh-cn` is `zh`."""
    wanted = code.lower().partition("-")[0]
    script, count = _script(text)
    if count < _ENOUGH:
        return True
    among = _OF_SCRIPT.get(script, ())
    if wanted not in among:
        return False
    if script == "CJK":
        return wanted == "zh"
    if len(among) == 1:
        return True
    scores = {each: _score(text, each) for each in among}
    return scores[wanted] > 0 and scores[wanted] == max(scores.values())


def _script(text: str) -> tuple[str, int]:
    """The script that most letters are of, and how many letters there are. A text with kana is Japanese."""
    found: Counter[str] = Counter()
    for letter in text:
        if letter.isalpha():
            found[unicodedata.name(letter, "?").partition(" ")[0].partition("-")[0]] += 1
    total = sum(found.values())
    kana = found["HIRAGANA"] + found["KATAKANA"]
    if kana and kana + found["CJK"] > total / 2:
        return "HIRAGANA", total
    return (found.most_common(1)[0][0], total) if found else ("", 0)


def _score(text: str, code: str) -> float:
    """How much of a text is the language's: common words, and letters that its neighbours have not."""
    lower = text.lower()
    known = set(_WORDS[code].split())
    said = re.findall(r"[^\W\d_]+(?:[\u0900-\u094f]+[^\W\d_]*)*", lower)
    own = sum(lower.count(each) for each in _LETTERS.get(code, ""))
    return (sum(1 for each in said if each in known) + 0.5 * min(own, len(said) / 4)) / max(len(said), 1)
