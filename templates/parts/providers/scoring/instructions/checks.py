"""Whether an answer follows an instruction that a program can check: the twenty-five kinds of IFEval.

Source: Zhou et al., Instruction-Following Evaluation for Large Language Models, 2023, table of verifiable instructions.
How words and sentences are counted and languages told is `counting` and `languages`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeAlias

from .counting import bullets, highlights, sentences, words
from .languages import is_in

Said: TypeAlias = Mapping[str, object]
"""What an instruction asks for, by name."""


class Malformed(ValueError):
    """An instruction that is none; the message says why."""


def follows(kind: str, said: Said, answer: str) -> bool:
    """kind: as in `keywords:existence`. Raises Malformed."""
    group, _, name = kind.partition(":")
    match group, name:
        case "keywords", _:
            return _keywords(name, said, answer)
        case "length_constraints", _:
            return _length(name, said, answer)
        case "detectable_format", _:
            return _format(name, said, answer)
        case "detectable_content", "number_placeholders":
            return len(re.findall(r"\[.*?\]", answer)) >= _number(said, "num_placeholders")
        case "detectable_content", "postscript":
            return _postscript(_text(said, "postscript_marker"), answer)
        case "combination", "two_responses":
            return _two_responses(answer)
        case "combination", "repeat_prompt":
            return answer.strip().lower().startswith(_text(said, "prompt_to_repeat", "prompt").strip().lower())
        case "startend", "end_checker":
            return answer.strip().strip('"').lower().endswith(_text(said, "end_phrase").strip().lower())
        case "startend", "quotation":
            stripped = answer.strip()
            return len(stripped) > 1 and stripped[0] == stripped[-1] == '"'
        case "change_case", _:
            return _case(name, said, answer)
        case "punctuation", "no_comma":
            return "," not in answer
        case "language", "response_language":
            return is_in(answer, _text(said, "language"))
    raise Malformed(f"there is no instruction {kind[:100]!r}")


def _keywords(name: str, said: Said, answer: str) -> bool:
    match name:
        case "existence":
            return all(re.search(re.escape(each), answer, re.IGNORECASE) for each in _texts(said, "keywords"))
        case "frequency":
            keyword = re.escape(_text(said, "keyword"))
            count = len(re.findall(keyword, answer, re.IGNORECASE))
            return _holds(count, _text(said, "relation"), _number(said, "frequency"))
        case "forbidden_words":
            forbidden = _texts(said, "forbidden_words")
            return not any(re.search(rf"\b{re.escape(each)}\b", answer, re.IGNORECASE) for each in forbidden)
        case "letter_frequency":
            count = answer.lower().count(_text(said, "letter").lower())
            return _holds(count, _text(said, "let_relation"), _number(said, "let_frequency"))
    raise Malformed(f"there is no instruction 'keywords:{name[:100]}'")


def _length(name: str, said: Said, answer: str) -> bool:
    match name:
        case "number_words":
            return _holds(len(words(answer)), _text(said, "relation"), _number(said, "num_words"))
        case "number_sentences":
            return _holds(sentences(answer), _text(said, "relation"), _number(said, "num_sentences"))
        case "number_paragraphs":
            # They are parted by a rule; an empty one is none at either end, and a fault between.
            parts = re.split(r"\s?\*\*\*\s?", answer)
            inner = parts[1:-1]
            count = sum(1 for each in parts if each.strip())
            return all(each.strip() for each in inner) and count == _number(said, "num_paragraphs")
        case "nth_paragraph_first_word":
            parts = [each.strip() for each in re.split(r"\n\n", answer) if each.strip()]
            place = int(_number(said, "nth_paragraph"))
            if len(parts) != _number(said, "num_paragraphs") or not 1 <= place <= len(parts):
                return False
            first = parts[place - 1].split()[0].strip("'\"“”‘’").rstrip(".,?!:;'\"”’").lower()
            return first == _text(said, "first_word").strip().lower()
    raise Malformed(f"there is no instruction 'length_constraints:{name[:100]}'")


def _format(name: str, said: Said, answer: str) -> bool:
    match name:
        case "number_bullet_lists":
            return bullets(answer) == _number(said, "num_bullets")
        case "constrained_response":
            return any(each in answer for each in ("My answer is yes.", "My answer is no.", "My answer is maybe."))
        case "number_highlighted_sections":
            return highlights(answer) >= _number(said, "num_highlights")
        case "multiple_sections":
            splitter = re.escape(_text(said, "section_spliter", "section_splitter").strip())
            return len(re.findall(rf"\s?{splitter}\s?\d+\s?", answer)) >= _number(said, "num_sections")
        case "json_format":
            return _is_json(re.sub(r"^\s*```(?:json|Json|JSON)?|```\s*$", "", answer.strip()).strip())
        case "title":
            return any(each.strip() for each in re.findall(r"<<([^\n]+?)>>", answer))
    raise Malformed(f"there is no instruction 'detectable_format:{name[:100]}'")


def _case(name: str, said: Said, answer: str) -> bool:
    match name:
        case "capital_word_frequency":
            capitals = sum(1 for each in re.findall(r"[\w'-]+", answer) if each.isupper())
            return _holds(capitals, _text(said, "capital_relation"), _number(said, "capital_frequency"))
        case "english_capital":
            return answer.isupper() and is_in(answer, "en")
        case "english_lowercase":
            return answer.islower() and is_in(answer, "en")
    raise Malformed(f"there is no instruction 'change_case:{name[:100]}'")


def _postscript(marker: str, answer: str) -> bool:
    """Letters of the marker may stand apart: `P. S.` for `P.S.`."""
    letters = [re.escape(each) for each in marker.strip().lower() if not each.isspace()]
    return re.search(r"^.*?" + r"\s?".join(letters), answer.lower(), re.MULTILINE) is not None


def _two_responses(answer: str) -> bool:
    parts = answer.split("******")
    if any(not each.strip() for each in parts[1:-1]):
        return False
    held = [each.strip() for each in parts if each.strip()]
    return len(held) == 2 and held[0] != held[1]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _holds(count: int, relation: str, wanted: float) -> bool:
    match relation:
        case "less than":
            return count < wanted
        case "at least":
            return count >= wanted
    raise Malformed(f"the relation {relation[:50]!r} is neither 'less than' nor 'at least'")


def _text(said: Said, *names: str) -> str:
    for each in names:
        if isinstance(value := said.get(each), str):
            return value
    raise Malformed(f"{names[0]} is missing, or no text")


def _texts(said: Said, name: str) -> list[str]:
    value = said.get(name)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Malformed(f"{name} is missing, or no list of texts")
    return value


def _number(said: Said, name: str) -> float:
    value = said.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(f"{name} is missing, or no number")
    return value
