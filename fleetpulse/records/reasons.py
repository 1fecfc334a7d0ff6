"""The reasons for rejecting a record: one code and one sentence each."""

from enum import StrEnum


class Reason(StrEnum):
    """The codes in the header `fleetpulse.reason` of a dead letter and in the label of its metric."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    NOT_AN_OBJECT = "not_an_object"
    BAD_DEVICE_ID = "bad_device_id"
    AMBIGUOUS_IDENTITY = "ambiguous_identity"
    UNKNOWN_SCHEMA = "unknown_schema"
    BAD_TIME = "bad_time"
    FUTURE_TIMESTAMP = "future_timestamp"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_UNIT = "unknown_unit"
    INTERNAL_ERROR = "internal_error"


SENTENCES: dict[Reason, str] = {
    Reason.EMPTY: "the record has no value",
    Reason.TOO_LARGE: "the value is larger than 1 MiB",
    Reason.MALFORMED: "the value is neither one JSON document in UTF-8, at most 64 deep, nor Avro that fits its schema",
    Reason.NOT_AN_OBJECT: "the value is valid JSON but not an object",
    Reason.BAD_DEVICE_ID: "the device id is not a string of 1 to 128 characters without control characters",
    Reason.AMBIGUOUS_IDENTITY: "the device id is named more than once, or differently in several fields",
    Reason.UNKNOWN_SCHEMA: "the object names its device in no known way, or its Avro schema is unknown or refused",
    Reason.BAD_TIME: "the time is neither a positive number nor ISO 8601 in an accepted form, or it is named twice",
    Reason.FUTURE_TIMESTAMP: "the time is too far ahead of the Kafka timestamp",
    Reason.WRONG_TYPE: "a field that is used is of another type than it should be, or no finite number",
    Reason.UNKNOWN_UNIT: "a value is in a unit that its metric does not have",
    Reason.INTERNAL_ERROR: "the decoder failed on the record: a fault of Fleetpulse's, not of the device",
}
