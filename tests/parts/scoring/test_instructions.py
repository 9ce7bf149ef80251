"""IFEval's instructions: an answer that follows each, and one that does not."""

from __future__ import annotations

import pytest
from parts.providers.scoring.instructions.checks import follows
from parts.providers.scoring.instructions.counting import sentences
from parts.providers.scoring.instructions.languages import is_in
from parts.providers.scoring.instructions.scoring import share
from parts.runtime.errors import BadRequest

P = "\n***\n"
CASES = [
    ("keywords:existence", {"keywords": ["sun", "moon"]}, "Sun and moon.", "Sun."),
    ("keywords:frequency", {"keyword": "ha", "frequency": 3, "relation": "at least"}, "ha ha Ha", "ha ha"),
    ("keywords:frequency", {"keyword": "ha", "frequency": 2, "relation": "less than"}, "ha", "ha ha"),
    ("keywords:forbidden_words", {"forbidden_words": ["cat"]}, "concatenate", "a cat."),
    ("keywords:letter_frequency", {"letter": "E", "let_frequency": 2, "let_relation": "at least"}, "eEl", "el"),
    (
        "language:response_language",
        {"language": "de"},
        "Das ist ein Satz, der nicht auf Englisch ist.",
        "This one is not in German at all.",
    ),
    ("length_constraints:number_words", {"num_words": 3, "relation": "less than"}, "two words", "now three words"),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 2, "relation": "at least"},
        "One. Two!",
        "Dr. No e.g. one",
    ),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, f"a{P}b", f"a{P}{P}b"),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "then"},
        'First.\n\n"Then, so.',
        "First.\n\nLater then.",
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[name] at [place]", "[name]"),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Hi.\nP. S. bye", "Hi."),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n- b", "* a\n* b\n* c"),
    ("detectable_format:constrained_response", {}, "My answer is maybe.", "Maybe."),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and **b**", "*a* **"),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "Section", "num_sections": 2},
        "Section 1\nx\nSection 2\ny",
        "Section 1",
    ),
    ("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', "{a: 1}"),
    ("detectable_format:title", {}, "<<A poem>>\nx", "<< >>\nx"),
    ("combination:two_responses", {}, "one******two", "one******one"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say it."}, "say it. So.", "So. Say it."),
    ("startend:end_checker", {"end_phrase": "The end."}, 'So. "the end."', "The end. No."),
    ("startend:quotation", {}, '"so"', '"'),
    ("change_case:capital_word_frequency", {"capital_frequency": 2, "capital_relation": "less than"}, "A b", "NO WAY"),
    ("change_case:english_capital", {}, "THIS IS SO AND THAT TOO", "This is so."),
    ("change_case:english_lowercase", {}, "this is so and that too", "This is so."),
    ("punctuation:no_comma", {}, "no; none", "yes, one"),
]


@pytest.mark.parametrize(("kind", "said", "good", "bad"), CASES, ids=[each[0] for each in CASES])
def test_an_instruction(kind: str, said: dict[str, object], good: str, bad: str) -> None:
    assert follows(kind, said, good)
    assert not follows(kind, said, bad)


def test_all_twenty_five_are_there() -> None:
    assert len({kind for kind, *_ in CASES}) == 25


def test_sentences() -> None:
    assert sentences("One. Two? “Three!” Four…") == 4
    assert sentences("Mr. A. Smith paid 3.50 at 5 p.m. in the U.S. today.") == 1
    assert sentences("一。二！") == 2
    assert sentences("...") == 0


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "The weather is fine, and we are going to the park with all of our friends."),
        ("es", "El tiempo es bueno y vamos al parque con todos los amigos que tenemos."),
        ("pt", "O tempo está bom e nós vamos ao parque com os nossos amigos, não é uma boa ideia?"),
        ("fr", "Le temps est beau et nous allons dans le parc avec tous les amis que nous avons."),
        ("it", "Il tempo è bello e andiamo al parco con tutti gli amici che abbiamo, non è una buona idea?"),
        ("pl", "Pogoda jest ładna i idziemy do parku z przyjaciółmi, bo to nie jest zły pomysł."),
        ("vi", "Thời tiết rất đẹp và chúng tôi sẽ đi đến công viên với những người bạn của mình."),
        ("sw", "Hali ya hewa ni nzuri na tunaenda katika bustani pamoja na marafiki wa shule kwa furaha."),
        ("fi", "Sää on kaunis ja me menemme puistoon, mutta hän ei ole vielä tullut, niin että odotamme."),
        ("ru", "Погода хорошая, и мы идём в парк со всеми друзьями, которые у нас есть."),
        ("uk", "Погода гарна, і ми йдемо до парку з усіма друзями, які є у нас."),
        ("bg", "Времето е хубаво и ние отиваме в парка с всички приятели, които са тук, за да се забавляваме."),
        ("ar", "الطقس جميل اليوم ونحن ذاهبون إلى الحديقة مع كل الأصدقاء من هذه المدينة."),
        ("fa", "هوا خوب است و ما با همه دوستان به پارک می رویم که در این شهر است."),
        ("ur", "موسم اچھا ہے اور ہم سب دوستوں کے ساتھ پارک میں جا رہے ہیں۔"),
        ("hi", "मौसम अच्छा है और हम सब दोस्तों के साथ पार्क में जा रहे हैं।"),
        ("mr", "हवामान चांगले आहे आणि आम्ही सर्व मित्रांसह उद्यानात जात आहोत, हे खरे आहे."),
        ("ne", "मौसम राम्रो छ र हामी सबै साथीहरूसँग पार्कमा जाँदैछौं, यो राम्रो हो।"),
        ("ja", "天気が良いので、友達と一緒に公園に行きます。"),
        ("zh", "天气很好，我们和所有的朋友一起去公园玩。"),
        ("ko", "날씨가 좋아서 친구들과 함께 공원에 갑니다."),
        ("th", "อากาศดีและเราจะไปสวนสาธารณะกับเพื่อน ๆ ทุกคน"),
        ("ta", "வானிலை நன்றாக உள்ளது, நாங்கள் பூங்காவிற்கு செல்கிறோம்."),
        ("pa", "ਮੌਸਮ ਚੰਗਾ ਹੈ ਅਤੇ ਅਸੀਂ ਪਾਰਕ ਵਿੱਚ ਜਾ ਰਹੇ ਹਾਂ।"),
        ("he", "מזג האוויר נאה ואנחנו הולכים לפארק עם כל החברים."),
    ],
)
def test_languages_are_told_apart(code: str, text: str) -> None:
    assert is_in(text, code)
    others = {"en", "es", "fr", "ru", "uk", "hi", "mr", "ar", "fa", "ja", "zh", "de", "vi"} - {code}
    assert [each for each in sorted(others) if is_in(text, each)] == []


def test_a_row_weighs_as_much_as_it_has_instructions() -> None:
    row = {
        "prompt": "Say it.",
        "generated_answer": "Say it. So",
        "instruction_id_list": ["combination:repeat_prompt", "startend:quotation"],
        "kwargs": '[{"num_words": null}, {}]',
    }
    assert share(row, 0) == {"score": 0.5, "weight": 2.0}
    assert share({**row, "generated_answer": " "}, 0) == {"score": 0.0, "weight": 2.0}
    for bad, told in (
        ({"kwargs": "["}, "no JSON"),
        ({"kwargs": [{}]}, "list of 2 objects"),
        ({"instruction_id_list": "x"}, "list of texts"),
        ({"instruction_id_list": ["nothing:such", "startend:quotation"]}, "no instruction"),
        ({"instruction_id_list": ["keywords:existence", "startend:quotation"]}, "keywords is missing"),
        (
            {"instruction_id_list": ["length_constraints:number_words"] * 2, "kwargs": [{"relation": "about"}] * 2},
            "num_",
        ),
    ):
        with pytest.raises(BadRequest, match=told):
            share({**row, **bad}, 0)
