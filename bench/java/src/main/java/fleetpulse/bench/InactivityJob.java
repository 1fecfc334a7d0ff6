package fleetpulse.bench;

import java.io.IOException;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.AbstractDeserializationSchema;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.TimerService;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** The inactivity decision as a Java DataStream job: keyed by device, state and a timer a device. */
public final class InactivityJob {
    private static final long TIMEOUT_MS = 60_000;
    private static final long PERIOD_MS = 30_000;

    public static void main(String[] args) throws Exception {
        String brokers = args[0];
        String topic = args[1];
        String alerts = args[2];
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
        environment.setParallelism(2);
        environment.enableCheckpointing(10_000);
        KafkaSource<Telemetry> source =
                KafkaSource.<Telemetry>builder()
                        .setBootstrapServers(brokers)
                        .setTopics(topic)
                        .setStartingOffsets(OffsetsInitializer.earliest())
                        .setBounded(OffsetsInitializer.latest())
                        .setValueOnlyDeserializer(new TelemetrySchema())
                        .build();
        KafkaSink<String> sink =
                KafkaSink.<String>builder()
                        .setBootstrapServers(brokers)
                        .setRecordSerializer(
                                KafkaRecordSerializationSchema.builder()
                                        .setTopic(alerts)
                                        .setValueSerializationSchema(new SimpleStringSchema())
                                        .build())
                        .build();
        // The Kafka timestamp is the event time here, and what the source gives each record.
        environment
                .fromSource(source, WatermarkStrategy.forBoundedOutOfOrderness(Duration.ofSeconds(2)), "telemetry")
                .keyBy(telemetry -> telemetry.deviceId)
                .process(new Inactivity())
                .sinkTo(sink);
        environment.execute("bench Java DataStream");
    }

    /** One record; a plain class with public fields, so that Flink's own serializer takes it. */
    public static class Telemetry {
        public String deviceId;
        public long ts;
    }

    /** Reads a record's JSON. */
    public static class TelemetrySchema extends AbstractDeserializationSchema<Telemetry> {
        private transient ObjectMapper mapper;

        @Override
        public void open(InitializationContext context) {
            mapper = new ObjectMapper();
        }

        @Override
        public Telemetry deserialize(byte[] message) throws IOException {
            JsonNode json = mapper.readTree(message);
            Telemetry telemetry = new Telemetry();
            telemetry.deviceId = json.get("device_id").asText();
            telemetry.ts = json.get("ts").asLong();
            return telemetry;
        }
    }

    /** State: when the device was last heard, and whether a timer waits for the first evaluation it could miss. */
    public static class Inactivity extends KeyedProcessFunction<String, Telemetry, String> {
        private transient ValueState<Long> lastSeen;
        private transient ValueState<Boolean> waiting;

        @Override
        public void open(OpenContext context) {
            lastSeen = getRuntimeContext().getState(new ValueStateDescriptor<>("last-seen", Long.class));
            waiting = getRuntimeContext().getState(new ValueStateDescriptor<>("waiting", Boolean.class));
        }

        @Override
        public void processElement(Telemetry record, Context context, Collector<String> out) throws Exception {
            Long before = lastSeen.value();
            boolean awaited = Boolean.TRUE.equals(waiting.value());
            // One partition may be far ahead of the watermark: the record after a silence can come before its timer.
            if (awaited && record.ts >= firstMissed(before)) {
                out.collect(alert(context.getCurrentKey(), before));
            }
            long now = before == null ? record.ts : Math.max(before, record.ts);
            lastSeen.update(now);
            if (!awaited) {
                await(context.timerService(), now);
            }
        }

        @Override
        public void onTimer(long timestamp, OnTimerContext context, Collector<String> out) throws Exception {
            if (context.timerService().currentWatermark() == Long.MAX_VALUE) {
                return; // the end of the input, not of a silence
            }
            long seen = lastSeen.value();
            if (timestamp - seen > TIMEOUT_MS) {
                waiting.update(false);
                out.collect(alert(context.getCurrentKey(), seen));
            } else {
                await(context.timerService(), seen);
            }
        }

        private void await(TimerService timers, long seen) throws Exception {
            timers.registerEventTimeTimer(firstMissed(seen));
            waiting.update(true);
        }

        /** The first evaluation at which a device last heard then has been silent for too long. */
        private static long firstMissed(long seen) {
            return (seen + TIMEOUT_MS) / PERIOD_MS * PERIOD_MS + PERIOD_MS;
        }

        private static String alert(String device, long seen) {
            return "{\"device-id\":\"" + device + "\",\"latest-event-time\":" + seen + "}";
        }
    }
}
