"""Calibrations: the constants of the linking rule that were measured for embedding models."""

from dataclasses import asdict, fields

from sqlalchemy import Connection, insert, select, update

from registry.core.linking.model_constants import ModelConstants
from registry.database.store.tables import calibration


def standing(connection: Connection, model_id: int) -> ModelConstants | None:
    """Give the constants of a model that hold now; None if the model was not calibrated."""
    columns = [calibration.c[field.name] for field in fields(ModelConstants)]
    query = select(*columns).where(calibration.c.model_id == model_id, calibration.c.to_operation.is_(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else ModelConstants(*row)


def made_by(connection: Connection, model_id: int) -> int | None:
    """Give the operation since which a model's constants hold; None if the model was not calibrated."""
    holds = (calibration.c.model_id == model_id, calibration.c.to_operation.is_(None))
    return connection.execute(select(calibration.c.from_operation).where(*holds)).scalar_one_or_none()


def put(connection: Connection, model_id: int, constants: ModelConstants, operation_id: int) -> None:
    """Give a model constants of its own from an operation on. Where it has the same already, nothing is changed."""
    if standing(connection, model_id) == constants:
        return
    former = update(calibration).where(calibration.c.model_id == model_id, calibration.c.to_operation.is_(None))
    connection.execute(former.values(to_operation=operation_id))
    row = {"model_id": model_id, "from_operation": operation_id, **asdict(constants)}
    connection.execute(insert(calibration).values(row))
