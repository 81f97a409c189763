"""What is to be done on a visit: the tasks for each kind of appliance and each purpose, as data.

Those of a service follow annexe 1 of the arrêté du 15 septembre 2009 (boilers) and of the arrêté du 24 juillet 2020 (heat
pumps).
"""

from collections.abc import Iterable, Mapping

from sav_contracts.catalog.servicing import ApplianceKind
from sav_contracts.claims.safety import Words
from sav_contracts.interventions.task import Appliance, Task
from sav_contracts.interventions.visit import Purpose

TEXTS: Mapping[str, Words] = {
    "find_fault": Words(en="Find the cause of the fault", fr="Rechercher la cause de la panne"),
    "read_fault_codes": Words(
        en="Read the fault codes of the controls", fr="Relever les codes de défaut de la régulation"
    ),
    "check_safety_devices": Words(
        en="Check the safety devices and their locks", fr="Vérifier les organes de sécurité et leurs verrouillages"
    ),
    "check_water_pressure": Words(
        en="Check the water pressure and the expansion vessel",
        fr="Vérifier la pression d’eau et le vase d’expansion",
    ),
    "measure_co": Words(
        en="Measure the carbon monoxide in the room while the appliance runs",
        fr="Mesurer le monoxyde de carbone dans la pièce, appareil en marche",
    ),
    "check_tightness": Words(
        en="Check the tightness of fuel, water and flue connections",
        fr="Vérifier l’étanchéité des raccords (combustible, eau, fumées)",
    ),
    "test_run": Words(en="Let it run and check that the fault is gone", fr="Mettre en marche et vérifier que la panne a disparu"),
    "clean_burner": Words(
        en="Clean the burner, the exchanger and the combustion chamber",
        fr="Nettoyer le brûleur, l’échangeur et la chambre de combustion",
    ),
    "check_flue": Words(
        en="Check the flue and the air supply of the room", fr="Vérifier le conduit de fumée et l’amenée d’air du local"
    ),
    "adjust_combustion": Words(
        en="Measure and adjust the combustion", fr="Mesurer et régler la combustion"
    ),
    "assess_efficiency": Words(
        en="Assess the efficiency and the emissions", fr="Évaluer le rendement et les émissions de polluants"
    ),
    "assess_performance": Words(
        en="Assess the energy performance", fr="Évaluer la performance énergétique"
    ),
    "check_controls": Words(
        en="Check and set the controls", fr="Vérifier et régler la régulation"
    ),
    "advise": Words(
        en="Advise on the use and on possible improvements",
        fr="Donner des conseils sur l’usage et les améliorations possibles",
    ),
    "check_refrigerant": Words(
        en="Check the refrigerant circuit for leaks", fr="Contrôler l’étanchéité du circuit frigorifique"
    ),
    "clean_exchangers": Words(
        en="Clean the exchangers and filters", fr="Nettoyer les échangeurs et les filtres"
    ),
    "check_defrosting": Words(
        en="Check defrosting and the drain of condensate", fr="Vérifier le dégivrage et l’évacuation des condensats"
    ),
    "measure_temperatures": Words(
        en="Measure the temperatures at inlet and outlet", fr="Mesurer les températures d’entrée et de sortie"
    ),
    "check_electrical": Words(
        en="Check the electrical connections and protection",
        fr="Vérifier les raccordements et protections électriques",
    ),
    "descale": Words(en="Drain and descale", fr="Vidanger et détartrer"),
    "check_anode": Words(en="Check the anode", fr="Vérifier l’anode"),
    "check_safety_group": Words(
        en="Check the safety group and its discharge", fr="Vérifier le groupe de sécurité et son évacuation"
    ),
    "check_place": Words(
        en="Check that the place is fit for the appliance", fr="Vérifier que le local convient à l’appareil"
    ),
    "flush_circuit": Words(en="Flush and fill the circuit", fr="Rincer et remplir le circuit"),
    "commission": Words(en="Put it into service and set it", fr="Mettre en service et régler"),
    "note_serial": Words(
        en="Note the serial number of the appliance", fr="Relever le numéro de série de l’appareil"
    ),
    "instruct_user": Words(
        en="Show the user how it works and hand over the documents",
        fr="Expliquer le fonctionnement à l’utilisateur et remettre les documents",
    ),
    "check_condition": Words(en="Check the condition and clean", fr="Vérifier l’état et nettoyer"),
}  # fmt: skip

CHECKLISTS: Mapping[ApplianceKind, Mapping[Purpose, tuple[str, ...]]] = {
    "boiler": {
        "diagnostic": ("read_fault_codes", "find_fault", "check_safety_devices", "check_water_pressure", "measure_co"),
        "repair": ("read_fault_codes", "find_fault", "check_tightness", "check_safety_devices", "test_run", "measure_co"),
        "maintenance": (
            "clean_burner", "check_flue", "adjust_combustion", "check_safety_devices", "check_water_pressure",
            "check_controls", "measure_co", "assess_efficiency", "advise",
        ),
        "install": (
            "check_place", "flush_circuit", "check_tightness", "check_flue", "commission", "measure_co",
            "note_serial", "instruct_user",
        ),
    },
    "heat_pump": {
        "diagnostic": ("read_fault_codes", "find_fault", "check_electrical", "measure_temperatures"),
        "repair": ("read_fault_codes", "find_fault", "check_electrical", "check_refrigerant", "test_run"),
        "maintenance": (
            "check_refrigerant", "clean_exchangers", "check_defrosting", "check_electrical", "check_water_pressure",
            "measure_temperatures", "check_controls", "assess_performance", "advise",
        ),
        "install": (
            "check_place", "flush_circuit", "check_electrical", "check_refrigerant", "commission", "note_serial",
            "instruct_user",
        ),
    },
    "water_heater": {
        "diagnostic": ("find_fault", "check_safety_group", "check_electrical"),
        "repair": ("find_fault", "check_safety_group", "check_tightness", "test_run"),
        "maintenance": ("descale", "check_anode", "check_safety_group", "check_electrical", "measure_temperatures", "advise"),
        "install": ("check_place", "check_safety_group", "check_tightness", "commission", "note_serial", "instruct_user"),
    },
    "other": {
        "diagnostic": ("find_fault", "check_tightness"),
        "repair": ("find_fault", "check_tightness", "test_run"),
        "maintenance": ("check_condition", "check_tightness", "advise"),
        "install": ("check_place", "check_tightness", "commission", "note_serial", "instruct_user"),
    },
}  # fmt: skip
# What is measured wherever something burns.
OF_BURNING = "measure_co"


def tasks_for(appliance: Appliance, purpose: Purpose, said: Iterable[Task] = ()) -> list[Task]:
    """The tasks of a visit; those that were in its earlier list keep what was said of them."""
    codes = CHECKLISTS[appliance.kind][purpose]
    if appliance.burns and OF_BURNING not in codes:
        codes = (*codes, OF_BURNING)
    before = {task.code: task for task in said}
    return [before.get(code) or Task(code=code, text=TEXTS[code]) for code in codes]
