"""The letter of a multiple-choice answer, as models write it in many languages."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORDS = (
    "Answer|Antwort|Réponse|Reponse|Respuesta|Resposta|Risposta|Antwoord|Svar|Vastaus|Odpowiedź|Odpověď|Odpoveď|Válasz|Răspuns|Raspuns|"
    "Cevap|Yanıt|Jawaban|Đáp án|Câu trả lời|Jibu|Idahun|Ìdáhùn|"
    "Απάντηση|Ответ|Відповідь|Отговор|Одговор|תשובה|الإجابة|الجواب|إجابة|"
    "پاسخ|جواب|उत्तर|उत्तरः|উত্তর|ਜਵਾਬ|જવાબ|பதில்|సమాధానం|ಉತ್ತರ|ഉത്തരം|පිළිතුර|คำตอบ|ຄຳຕອບ|ចម្លើយ|答案|答|回答|答え|解答|정답|답|답변"
)
_LETTERS = "ABCDأبجدঅবড়দＡＢＣＤ"
PATTERNS: Sequence[str] = (
    rf"(?i:{_WORDS})(?i:\s+is)?\s*[:：﹕]?\s*(?:\*\*|\\boxed\{{|\\text\{{|\(|（|【|\[)*\s*([{_LETTERS}])(?![A-Za-z])",
    r"\\boxed\{\s*(?:\\text\{)?\s*([A-D])\s*\}",
    r"^\s*\(?([A-D])\)?\s*[.:)]?\s*$",
)
"""Where the letter stands: behind the word for an answer, within a box, or alone."""

_AS_LATIN = dict(zip("أبجدঅবদＡＢＣＤ", "ABCDABDABCD", strict=True))


def letter(said: str) -> str:
    """A letter in the form in which the expected one is written; the same text where it is no single letter."""
    text = re.sub(r"[\s().*\[\]（）【】:：]", "", said)
    return _AS_LATIN.get(text, text).upper() if len(text) == 1 else said.strip()
