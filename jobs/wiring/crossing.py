"""Keying by shard without a detour through Python."""

from pyflink.common import TypeInformation, Types
from pyflink.datastream import DataStream, KeyedProcessFunction
from pyflink.datastream.data_stream import _create_j_data_stream_python_function_info
from pyflink.fn_execution.flink_fn_execution_pb2 import UserDefinedDataStreamFunction
from pyflink.java_gateway import get_gateway
from pyflink.util.java_utils import get_j_env_configuration

from fleetpulse.frames.sharding import MAX_PARALLELISM


def shard_keys(shards: int) -> tuple[int, ...]:
    """A Flink key for each shard, such that shards spread evenly over the key groups, and so over the subtasks.

    The first shard's key is the same for every count: a restore with another count always finds the header.
    """
    jvm = get_gateway().jvm
    assign = jvm.org.apache.flink.runtime.state.KeyGroupRangeAssignment.assignToKeyGroup
    # Rounded up, as Flink does where it gives each subtask its range of key groups.
    wanted = {-(-shard * MAX_PARALLELISM // shards): shard for shard in range(shards)}
    keys: dict[int, int] = {}
    candidate = 0
    while len(keys) < shards:
        shard = wanted.get(assign(jvm.org.apache.flink.types.Row.of(_objects(candidate)), MAX_PARALLELISM))
        if shard is not None:
            keys.setdefault(shard, candidate)
        candidate += 1
    return tuple(keys[shard] for shard in range(shards))


def _objects(value: int):  # type: ignore[no-untyped-def]
    gateway = get_gateway()
    array = gateway.new_array(gateway.jvm.Object, 1)
    array[0] = value
    return array


def process_by_shard(
    stream: DataStream, item_type: TypeInformation, function: KeyedProcessFunction, output_type: TypeInformation
) -> DataStream:
    """Key a stream of rows (shard key, item) by its first column and process it; `function` gets the items.

    `DataStream.key_by` would send every row to a Python process and back only to learn its key. Here the JVM reads the
    key off the row, which already has the form that `key_by` produces; the rest is what `KeyedStream.process` does.
    """
    jvm = get_gateway().jvm
    key_type = Types.ROW([Types.INT()])
    keyed = stream._j_data_stream.keyBy(jvm.KeyByKeySelector(), key_type.get_java_type_info())
    operator = jvm.ExternalPythonKeyedProcessOperator(
        get_j_env_configuration(stream._j_data_stream.getExecutionEnvironment()),
        _create_j_data_stream_python_function_info(function, UserDefinedDataStreamFunction.KEYED_PROCESS),
        Types.ROW([Types.INT(), item_type]).get_java_type_info(),
        output_type.get_java_type_info(),
    )
    return DataStream(keyed.transform("KEYED PROCESS", output_type.get_java_type_info(), operator))
