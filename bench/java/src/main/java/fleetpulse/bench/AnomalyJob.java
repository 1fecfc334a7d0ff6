package fleetpulse.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.AbstractDeserializationSchema;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** The anomaly decision as a Java DataStream job: keyed by device, one state a device, rules from a JSON file. */
public final class AnomalyJob {
    public static void main(String[] args) throws Exception {
        String brokers = args[0];
        String topic = args[1];
        String alerts = args[2];
        String rules = Files.readString(Path.of(args[3]));
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
        environment.setParallelism(2);
        environment.enableCheckpointing(10_000);
        KafkaSource<Reading> source =
                KafkaSource.<Reading>builder()
                        .setBootstrapServers(brokers)
                        .setTopics(topic)
                        .setStartingOffsets(OffsetsInitializer.earliest())
                        .setBounded(OffsetsInitializer.latest())
                        .setValueOnlyDeserializer(new ReadingSchema())
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
        environment
                .fromSource(source, WatermarkStrategy.forBoundedOutOfOrderness(Duration.ofSeconds(2)), "telemetry")
                .keyBy(reading -> reading.deviceId)
                .process(new Judge(rules))
                .sinkTo(sink);
        environment.execute("bench Java DataStream, rules");
    }

    /** One record; metrics by their place in Rules.METRICS, NaN where one is missing. */
    public static class Reading {
        public String deviceId;
        public long ts;
        public double[] values;
    }

    /** Reads a record's JSON. */
    public static class ReadingSchema extends AbstractDeserializationSchema<Reading> {
        private transient ObjectMapper mapper;

        @Override
        public void open(InitializationContext context) {
            mapper = new ObjectMapper();
        }

        @Override
        public Reading deserialize(byte[] message) throws IOException {
            JsonNode json = mapper.readTree(message);
            Reading reading = new Reading();
            reading.deviceId = json.get("device_id").asText();
            reading.ts = json.get("ts").asLong();
            reading.values = new double[Rules.METRICS.size()];
            for (int metric = 0; metric < reading.values.length; metric++) {
                JsonNode value = json.get(Rules.METRICS.get(metric));
                reading.values[metric] = value == null || value.isNull() ? Double.NaN : value.asDouble();
            }
            return reading;
        }
    }

    /** What is known of a device: for each rule so many numbers and times, side by side. */
    public static class Device {
        public double[] numbers;
        public long[] times;
    }

    /** Judges each reading as it comes: within a partition, which a device keeps to, they come in order of time. */
    public static class Judge extends KeyedProcessFunction<String, Reading, String> {
        private final String document;
        private transient List<Rules.Rule> rules;
        private transient ValueState<Device> devices;

        public Judge(String document) {
            this.document = document;
        }

        @Override
        public void open(OpenContext context) throws Exception {
            rules = new ArrayList<>();
            for (JsonNode rule : new ObjectMapper().readTree(document).get("rules")) {
                rules.add(Rules.of(rule, rules.size()));
            }
            devices = getRuntimeContext().getState(new ValueStateDescriptor<>("device", Device.class));
        }

        @Override
        public void processElement(Reading reading, Context context, Collector<String> out) throws Exception {
            Device device = devices.value();
            if (device == null) {
                device = new Device();
                device.numbers = new double[rules.size() * Rules.NUMBERS];
                device.times = new long[rules.size() * Rules.TIMES];
            }
            for (Rules.Rule rule : rules) {
                rule.judge(device, reading, out);
            }
            devices.update(device);
        }
    }
}
