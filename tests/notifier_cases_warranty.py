"""What a client is told of a manager's decision about the warranty of a visit."""

from given_notifier import visit
from notifier_case import LEA, MANAGERS, Case

from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.visit import WarrantyDecided


def decided(parts: int, labour: int, travel: int, version: int = 4, **fields: object) -> WarrantyDecided:
    warranty = Warranty.of_shares(
        parts, labour, travel, why="decided_by_manager", reason="Calcaire dans l’échangeur.", reason_told=True
    )
    told: dict[str, object] = {"reason": warranty.reason, "for_this_visit": True}
    return WarrantyDecided.model_validate(
        {"state": visit(warranty=warranty, version=version), "decision": warranty.decision} | told | fields
    )


WARRANTIES = [
    *(
        Case(f"a manager decides {shares}", decided(*shares), {"warranty_decided": LEA})
        for shares in ((100, 100, 100), (100, 50, 0), (0, 0, 0))
    ),
    Case(
        "a manager decides other shares",
        decided(100, 0, 0, version=5),
        {"warranty_decided": LEA},
        (decided(100, 50, 0),),
    ),
    Case("a manager decides the same again", decided(0, 0, 0, version=5), {}, (decided(0, 0, 0),)),
    Case("a manager decided for the réclamation", decided(0, 0, 0, for_this_visit=False), {}),
    Case(
        "it stays unknown",
        WarrantyDecided(
            state=visit(warranty=Warranty(decision="unknown", why="no_product")), decision="unknown"
        ),
        {"warranty_to_decide": MANAGERS},
    ),
]
