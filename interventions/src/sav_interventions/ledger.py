"""The ledger: every movement of money, each chained to the one before; corrected only by further entries."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from sav_chassis.tx import Tx
from sav_contracts.interventions.closing import EntryKind
from sav_interventions.days import local_day
from sav_interventions.model.invoice import GENESIS
from sav_interventions.model.payment import ClientCredit, Entry, Ledger, MissingEntries, Payment

# The id of the ledger's timer.
LEDGER = UUID("6c656467-6572-4000-8000-000000000000")
NAME = "payments"
A_DAY = timedelta(days=1)


async def enter(
    tx: Tx,
    kind: EntryKind,
    amount: Decimal,
    of: Payment | ClientCredit,
    client_id: UUID,
    received_on: date | None = None,
) -> None:
    """Enters a movement of money, less than zero where it was paid back. Last, because it locks the ledger.

    Its day is today, also where the money was received on a day that is closed already.
    """
    ledger = await locked(tx)
    today = local_day(tx.now)
    closed = [ledger.closed_until + A_DAY] if ledger.closed_until else []
    ledger.day = max([today, ledger.day, *closed])
    ledger.last += 1
    payment = of if isinstance(of, Payment) else None
    entry = Entry(
        number=ledger.last,
        at=tx.now,
        entered_on=ledger.day,
        received_on=received_on or today,
        kind=kind,
        amount=amount,
        currency=of.currency,
        method=of.method,
        client_id=client_id,
        payment_id=payment.id if payment else None,
        client_credit_id=None if payment else of.id,
        invoice_number=of.invoice_number,
        reference=of.reference,
        previous_hash=ledger.hash,
    )
    ledger.hash = entry.hash = entry.digest()
    tx.add(entry)
    # Another entry of this transaction finds this one.
    await tx.flush()


async def locked(tx: Tx) -> Ledger:
    """The ledger, locked until the end of the transaction.

    It begins with the first movement ever; the day before is closed at once, so that every closing stands on another.
    """
    today = local_day(tx.now)
    # Of a backup from before the first movement, a restore may have recorded what is missing.
    lost = select(MissingEntries).order_by(MissingEntries.first.desc()).limit(1)
    last, hash = (
        func.coalesce(lost.with_only_columns(column).scalar_subquery(), none)
        for column, none in ((MissingEntries.last, 0), (MissingEntries.hash, GENESIS))
    )
    first = insert(Ledger).values(name=NAME, last=last, day=today, hash=hash, closed_until=today - 2 * A_DAY)
    begun: Sequence[str] = (
        await tx.session.scalars(first.on_conflict_do_nothing().returning(Ledger.name))
    ).all()
    if begun:
        # Imported here: closing periods needs the ledger.
        from sav_interventions.closings import close_periods

        tx.remind(close_periods, LEDGER, tx.now)
    return (await tx.session.scalars(select(Ledger).where(Ledger.name == NAME).with_for_update())).one()
