"""Dangers that a client may report, and what to do at once about each.

The sentences and the French numbers follow the public advice of GRDF, Santé publique France and the fire brigades. The
Tunisian numbers are to be verified by whoever runs SAV there, as docs/adr/0046 says.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field

from sav_contracts.messages import Message

Danger = Literal["gas_smell", "co_alarm", "flooding"]


class Words(Message):
    """The same words in both languages."""

    en: str = Field(examples=["Get everybody out."])
    fr: str = Field(examples=["Faites sortir tout le monde."])


class Instructions(Message):
    """What to do at once about a danger, step by step."""

    danger: Danger
    heading: Words
    steps: tuple[Words, ...]


HEADINGS: Mapping[Danger, Words] = {
    "gas_smell": Words(
        en="You reported a smell of gas. Your safety comes first:",
        fr="Vous avez signalé une odeur de gaz. Votre sécurité passe avant tout :",
    ),
    "co_alarm": Words(
        en="You reported a carbon monoxide alarm. This gas cannot be seen or smelled, and it can kill quickly:",
        fr="Vous avez signalé une alarme de monoxyde de carbone. Ce gaz ne se voit pas et ne se sent pas, et il peut tuer en peu de temps :",
    ),
    "flooding": Words(en="You reported flooding:", fr="Vous avez signalé une inondation :"),
}
BEFORE: Mapping[Danger, tuple[Words, ...]] = {
    "gas_smell": (
        Words(
            en="Do not touch any switch or electrical device, do not light any flame, and do not use a phone indoors.",
            fr="Ne touchez à aucun interrupteur ni appareil électrique, n’allumez aucune flamme et ne téléphonez pas à l’intérieur.",
        ),
        Words(
            en="Open the windows if you can do so without lingering, and turn off the gas tap.",
            fr="Ouvrez les fenêtres si vous pouvez le faire sans vous attarder, et fermez le robinet de gaz.",
        ),
        Words(en="Get everybody out.", fr="Faites sortir tout le monde."),
    ),
    "co_alarm": (
        Words(
            en="Open doors and windows, and switch off anything that burns fuel if you can do so without lingering.",
            fr="Ouvrez portes et fenêtres, et arrêtez les appareils à combustion si vous pouvez le faire sans vous attarder.",
        ),
        Words(
            en="Get everybody out, even if nobody feels unwell.",
            fr="Faites sortir tout le monde, même si personne ne se sent mal.",
        ),
    ),
    "flooding": (
        Words(en="Turn off the main water supply.", fr="Fermez l’arrivée d’eau générale."),
        Words(
            en="Switch off the electricity at the main breaker, but only if you can reach it with dry feet.",
            fr="Coupez l’électricité au disjoncteur général, mais seulement si vous pouvez l’atteindre les pieds au sec.",
        ),
        Words(
            en="Keep away from water that touches sockets or electrical appliances.",
            fr="Restez à distance de l’eau qui touche des prises ou des appareils électriques.",
        ),
    ),
}
AFTER: Mapping[Danger, tuple[Words, ...]] = {
    "gas_smell": (
        Words(
            en="Do not go back in until the emergency services say so.",
            fr="Ne rentrez pas avant que les secours vous y autorisent.",
        ),
    ),
    "co_alarm": (
        Words(
            en="Do not go back in or restart any appliance before the emergency services and a professional have been.",
            fr="Ne rentrez pas et ne remettez aucun appareil en marche avant le passage des secours et d’un professionnel.",
        ),
    ),
    "flooding": (),
}
# Whom to call, by the country of the place.
CALLS: Mapping[str, Mapping[Danger, Words]] = {
    "FR": {
        "gas_smell": Words(
            en="Once outside, call the gas emergency number, 0 800 47 33 33 (free, day and night); if anybody feels unwell or is in immediate danger, call 112 or 18.",
            fr="Une fois dehors, appelez l’Urgence Sécurité Gaz au 0 800 47 33 33 (appel gratuit, 24 h sur 24) ; en cas de malaise ou de danger immédiat, le 112 ou le 18.",
        ),
        "co_alarm": Words(
            en="Once outside, call 112, 18 or 15. Mention any headache, nausea or dizziness.",
            fr="Une fois dehors, appelez le 112, le 18 ou le 15. Signalez les maux de tête, nausées ou vertiges.",
        ),
        "flooding": Words(
            en="If anybody is in danger, call 112 or 18.",
            fr="Si quelqu’un est en danger, appelez le 112 ou le 18.",
        ),
    },
    "TN": {
        "gas_smell": Words(
            en="Once outside, call the civil protection, 198; if anybody feels unwell, the SAMU, 190.",
            fr="Une fois dehors, appelez la protection civile au 198 ; en cas de malaise, le SAMU au 190.",
        ),
        "co_alarm": Words(
            en="Once outside, call the SAMU, 190, or the civil protection, 198. Mention any headache, nausea or dizziness.",
            fr="Une fois dehors, appelez le SAMU au 190 ou la protection civile au 198. Signalez les maux de tête, nausées ou vertiges.",
        ),
        "flooding": Words(
            en="If anybody is in danger, call the civil protection, 198.",
            fr="Si quelqu’un est en danger, appelez la protection civile au 198.",
        ),
    },
}
ELSEWHERE: Mapping[Danger, Words] = {
    "gas_smell": Words(
        en="Once outside, call the emergency services (112 in the European Union).",
        fr="Une fois dehors, appelez les secours (le 112 dans l’Union européenne).",
    ),
    "co_alarm": Words(
        en="Once outside, call the emergency services (112 in the European Union). Mention any headache, nausea or dizziness.",
        fr="Une fois dehors, appelez les secours (le 112 dans l’Union européenne). Signalez les maux de tête, nausées ou vertiges.",
    ),
    "flooding": Words(
        en="If anybody is in danger, call the emergency services (112 in the European Union).",
        fr="Si quelqu’un est en danger, appelez les secours (le 112 dans l’Union européenne).",
    ),
}


def instructions(dangers: Iterable[Danger], country: str) -> tuple[Instructions, ...]:
    """What to do at once about these dangers, with the numbers to call in the country of the place."""
    calls = CALLS.get(country, ELSEWHERE)
    return tuple(
        Instructions(
            danger=danger,
            heading=HEADINGS[danger],
            steps=(*BEFORE[danger], calls[danger], *AFTER[danger]),
        )
        for danger in dangers
    )
