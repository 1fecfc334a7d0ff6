#!/usr/bin/env bash
# Starts a node that is broker and controller. The image's own start script knows a fixed set of controllers only, to which
# none can be added.
#   NODE_ID        1 makes the cluster where there is none, all others join it
#   HOST_PORT      where clients of this machine reach it
#   REPLICATION    copies of each partition: of Kafka's own topics, and of those that are made without saying how many
set -euo pipefail

config=/tmp/server.properties
{
    cat /etc/fleetpulse/server.properties
    echo "node.id=$NODE_ID"
    echo "advertised.listeners=INTERNAL://$HOSTNAME:9092,HOST://localhost:$HOST_PORT,CONTROLLER://$HOSTNAME:9093"
    echo "default.replication.factor=$REPLICATION"
    for topic in offsets.topic transaction.state.log share.coordinator.state.topic; do
        echo "$topic.replication.factor=$REPLICATION"
    done
} > "$config"

# The first node makes the cluster, unless it has lost its disk and the others have the cluster still.
role=--no-initial-controllers
if [ "$NODE_ID" = 1 ]; then
    role=--standalone
    for node in kafka-2 kafka-3; do
        if timeout 3 bash -c "exec 3<> /dev/tcp/$node/9093" 2> /dev/null; then role=--no-initial-controllers; fi
    done
fi
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted --cluster-id "$CLUSTER_ID" --config "$config" "$role"

# From here on only: the tools beside the broker would want the same port.
export KAFKA_OPTS="-javaagent:/opt/fleetpulse/jmx-exporter.jar=7071:/etc/kafka-jmx.yaml"
export KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=/etc/fleetpulse/log4j2.properties"
export EXTRA_ARGS="-name kafkaServer" # no file of garbage collections
exec /opt/kafka/bin/kafka-server-start.sh "$config"
