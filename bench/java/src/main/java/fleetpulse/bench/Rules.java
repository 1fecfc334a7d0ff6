package fleetpulse.bench;

import java.util.List;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.util.Collector;

/** The kinds of rules in bench/rules.yaml, as docs/rules.md tells what they mean. */
final class Rules {
    static final List<String> METRICS = List.of("temperature_c", "humidity", "lat", "lon");
    /** What each rule keeps of a device: its own numbers; its own time, then the run, then the alert. */
    static final int NUMBERS = 2;
    static final int TIMES = 8;

    private static final int OWN = 0;
    private static final int OTHER = 1;
    private static final int RAW = 2;
    private static final int SINCE = 3;
    private static final int SINCE_CRITICAL = 4;
    private static final int LEVEL = 5;
    private static final int OPENED = 6;
    private static final int REVISION = 7;
    private static final String[] LEVELS = {"none", "warning", "critical"};
    private static final Map<String, Long> UNITS_MS =
            Map.of("ms", 1L, "s", 1_000L, "m", 60_000L, "h", 3_600_000L, "d", 86_400_000L);

    private Rules() {}

    static Rule of(JsonNode json, int place) {
        return switch (json.get("kind").asText()) {
            case "threshold" -> new Threshold(json, place);
            case "rate" -> new Rate(json, place);
            case "stuck" -> new Stuck(json, place);
            case "missing" -> new Missing(json, place);
            case "geofence" -> new Geofence(json, place);
            case "deviation" -> new Deviation(json, place);
            case "condition" -> new Condition(json, place);
            default -> throw new IllegalArgumentException("a rule of this kind is not measured: " + json);
        };
    }

    /** One rule. A time of 0 stands for never. */
    abstract static class Rule {
        final String id;
        final int numbers;
        final int times;
        final int metric;
        final long holdMs;

        Rule(JsonNode json, int place) {
            id = json.get("id").asText();
            numbers = place * NUMBERS;
            times = place * TIMES;
            metric = json.has("metric") ? METRICS.indexOf(json.get("metric").asText()) : -1;
            holdMs = json.has("for") ? durationMs(json.get("for")) : 0;
        }

        abstract void judge(AnomalyJob.Device device, AnomalyJob.Reading reading, Collector<String> out);

        /** Takes a value against limits: hysteresis, and how long a level has to last. */
        void step(
                Limits limits, AnomalyJob.Device device, AnomalyJob.Reading reading, double value, Collector<String> out) {
            long[] known = device.times;
            int before = (int) known[times + RAW];
            int raw = limits.level(value, before);
            if (raw == 0) {
                if (before > 0) {
                    known[times + RAW] = 0;
                    change(device, reading, 0, value, out);
                }
                return;
            }
            if (before == 0) {
                known[times + SINCE] = reading.ts;
            }
            if (before < 2) {
                known[times + SINCE_CRITICAL] = reading.ts;
            }
            known[times + RAW] = raw;
            int level = 0;
            for (int candidate = 1; candidate <= raw; candidate++) {
                if (reading.ts - known[times + SINCE + candidate - 1] >= holdMs) {
                    level = candidate;
                }
            }
            change(device, reading, level, value, out);
        }

        /** Tells a level where it is another than before. */
        void change(
                AnomalyJob.Device device, AnomalyJob.Reading reading, int level, double value, Collector<String> out) {
            long[] known = device.times;
            int before = (int) known[times + LEVEL];
            if (level == before) {
                return;
            }
            known[times + LEVEL] = level;
            String state = level == 0 ? "recovered" : before == 0 ? "open" : "updated";
            if (before == 0) {
                known[times + OPENED] = reading.ts;
                known[times + REVISION] = 0;
            }
            known[times + REVISION]++;
            out.collect(
                    "{\"rule_id\":\"" + id + "\",\"device_id\":\"" + reading.deviceId + "\",\"state\":\"" + state
                            + "\",\"revision\":" + known[times + REVISION] + ",\"severity\":\""
                            + LEVELS[Math.max(level, before)] + "\",\"value\":" + value + ",\"opened_at_ms\":"
                            + known[times + OPENED] + ",\"changed_at_ms\":" + reading.ts + "}");
        }
    }

    /** Limits by level; one that is not set lies at infinity. */
    record Limits(double[] above, double[] below, double hysteresis) {
        static final Limits HOLDS = new Limits(new double[] {0.5, 0.5}, unset(-1), 0);

        static Limits of(JsonNode json, String aboveName) {
            double slack = json.has("hysteresis") ? json.get("hysteresis").asDouble() : 0;
            return new Limits(side(json.get(aboveName), 1), side(json.get("below"), -1), slack);
        }

        private static double[] unset(int sign) {
            return new double[] {sign * Double.POSITIVE_INFINITY, sign * Double.POSITIVE_INFINITY};
        }

        private static double[] side(JsonNode levels, int sign) {
            double[] limits = unset(sign);
            if (levels != null) {
                limits[1] = levels.has("critical") ? levels.get("critical").asDouble() : limits[1];
                limits[0] = levels.has("warning") ? levels.get("warning").asDouble() : limits[1];
            }
            return limits;
        }

        int level(double value, int before) {
            for (int level = 2; level >= 1; level--) {
                double kept = before >= level ? hysteresis : 0;
                if (value > above[level - 1] - kept || value < below[level - 1] + kept) {
                    return level;
                }
            }
            return 0;
        }
    }

    static final class Threshold extends Rule {
        private final Limits limits;

        Threshold(JsonNode json, int place) {
            super(json, place);
            limits = Limits.of(json, "above");
        }

        @Override
        void judge(AnomalyJob.Device device, AnomalyJob.Reading reading, Collector<String> out) {
            double value = reading.values[metric];
            if (!Double.isNaN(value)) {
                step(limits, device, reading, value, out);
            }
        }
    }

    static final class Rate extends Rule {
        private final Limits limits;
        private final long perMs;

        Rate(JsonNode json, int place) {
            super(json, place);
            limits = Limits.of(json, "above");
            perMs = json.has("per") ? durationMs(json.get("per")) : 60_000;
        }

        @Override
        void judge(AnomalyJob.Device device, AnomalyJob.Reading reading, Collector<String> out) {
            double value = reading.values[metric];
            long before = device.times[times + OWN];
            if (Double.isNaN(value) || reading.ts <= before) {
                return;
            }
            if (before > 0) {
                double change = Math.abs(value - device.numbers[numbers]);
                step(limits, device, reading, change * perMs / (reading.ts - before), out);
            }
            device.times[times + OWN] = reading.ts;
            device.numbers[numbers] = value;
        }
    }

    static final class Stuck extends Rule {
        private final double tolerance;

        Stuck(JsonNode json, int place) {
            super(json, place);
            tolerance = json.has("tolerance") ? json.get("tolerance").asDouble() : 0;
        }

        @Override
        void judge(AnomalyJob.Device device, AnomalyJob.Reading reading, Collector<String> out) {
            double value = reading.values[metric];
            if (Double.isNaN(value)) {
                return;
            }
            long since = device.times[times + OWN];
            if (since == 0 || Math.abs(value - device.numbers[numbers]) > tolerance) {
                device.times[times + OWN] = reading.ts;
                device.numbers[numbers] = value;
                change(device, reading, 0, value, out);
            } else if (reading.ts - since >= holdMs) {
                change(device, reading, 2, value, out);
            }
        }
    }

    static final class Missing extends Rule {
        Missing(JsonNode json, int place) {
            super(json, place);
        }

        @Override
        void judge(AnomalyJob.Device device, AnomalyJob.Reading reading, Collector<String> out) {
            long told = device.times[times + OWN];
            if (!Double.isNaN(reading.values[metric])) {
                change(device, reading, 0, (reading.ts - told) / 1000.0, out);
                device.times[times + OWN] = reading.ts;
            } else if (told == 0) {
                device.times[times + OWN] = reading.ts;
            } else if (reading.ts - told >= holdMs) {
                change(device, reading, 2, (reading.ts - told) / 1000.0, out);
            }
        }
    }

    static final class Geofence extends Rule {
        private static final double EARTH_M = 6_371_008.8;
        private static final int LAT = METRICS.indexOf("lat");
        private static final int LON = METRICS.indexOf("lon");
        private final Limits limits;
        private final double middleLat;
        private final double middleLon;
        private final double[][] corners;

        Geofence(JsonNode json, int place) {
            super(json, place);
            JsonNode area = json.get("area");
            boolean circle = area.get("shape").asText().equals("circle");
            double edge = circle ? area.get("radius_m").asDouble() : 0.5;
            boolean inside = json.has("alert") && json.get("alert").asText().equals("inside");
            double[] edges = {edge, edge};
            limits = inside ? new Limits(Limits.unset(1), edges, 0) : new Limits(edges, Limits.unset(-1), 0);
            middleLat = circle ? Math.toRadians(area.get("lat").asDouble()) : 0;
            middleLon = circle ? area.get("lon").asDouble() : 0;
            corners = circle ? null : corners(area.get("corners"));
        }

        private static double[][] corners(JsonNode json) {
            double[][] corners = new double[json.size()][];
            for (int place = 0; place < corners.length; place++) {
                corners[place] = new double[] {json.get(place).get(0).asDouble(), json.get(place).get(1).asDouble()};
            }
            return corners;
        }

        @Override
        void judge(AnomalyJob.Device device, AnomalyJob.Reading reading, Collector<String> out) {
            double lat = reading.values[LAT];
            double lon = reading.values[LON];
            if (!Double.isNaN(lat) && !Double.isNaN(lon)) {
                step(limits, device, reading, corners == null ? distanceM(lat, lon) : outside(lat, lon), out);
            }
        }

        private double distanceM(double lat, double lon) {
            double other = Math.toRadians(lat);
            double along = Math.sin((other - middleLat) / 2);
            double across = Math.sin(Math.toRadians(lon - middleLon) / 2);
            double half = along * along + Math.cos(middleLat) * Math.cos(other) * across * across;
            return 2 * EARTH_M * Math.asin(Math.sqrt(Math.min(1, half)));
        }

        private double outside(double lat, double lon) {
            boolean inside = false;
            double[] before = corners[corners.length - 1];
            for (double[] corner : corners) {
                if ((corner[0] > lat) != (before[0] > lat)) {
                    double share = (lat - corner[0]) / (before[0] - corner[0]);
                    inside ^= lon < corner[1] + share * (before[1] - corner[1]);
                }
                before = corner;
            }
            return inside ? 0 : 1;
        }
    }

    static final class Deviation extends Rule {
        private final Limits limits;
        private final double weight;
        private final double least;
        private final long warmUp;

        Deviation(JsonNode json, int place) {
            super(json, place);
            limits = Limits.of(json, "sigmas");
            weight = json.has("weight") ? json.get("weight").asDouble() : 0.02;
            warmUp = json.has("warm_up") ? json.get("warm_up").asLong() : 50;
            least = json.has("least_deviation") ? json.get("least_deviation").asDouble() : 0;
        }

        @Override
        void judge(AnomalyJob.Device device, AnomalyJob.Reading reading, Collector<String> out) {
            double value = reading.values[metric];
            if (Double.isNaN(value)) {
                return;
            }
            double variance = device.numbers[numbers + OTHER];
            double away = value - device.numbers[numbers];
            long count = device.times[times + OWN]++;
            double share = Math.max(weight, 1.0 / (count + 1));
            if (count >= warmUp) {
                share = weight;
                double sigma = Math.sqrt(Math.max(variance, least * least));
                double sigmas = sigma > 0 ? Math.abs(away) / sigma : away == 0 ? 0 : Double.POSITIVE_INFINITY;
                step(limits, device, reading, Math.min(sigmas, 1e9), out);
                if (sigmas > 3) {
                    away = Math.copySign(3 * sigma, away);
                }
            }
            device.numbers[numbers] += share * away;
            device.numbers[numbers + OTHER] = (1 - share) * (variance + share * away * away);
        }
    }

    /** All of several metrics beyond a limit, each as it was told last; NaN, before it is told, is beyond none. */
    static final class Condition extends Rule {
        private final int[] metrics = new int[NUMBERS];
        private final double[] above = new double[NUMBERS];
        private final double[] below = new double[NUMBERS];

        Condition(JsonNode json, int place) {
            super(json, place);
            JsonNode all = json.get("when").get("all");
            if (all == null || all.size() != NUMBERS) {
                throw new IllegalArgumentException("only a condition on two metrics together is measured: " + json);
            }
            for (int part = 0; part < NUMBERS; part++) {
                JsonNode leaf = all.get(part);
                metrics[part] = METRICS.indexOf(leaf.get("metric").asText());
                above[part] = leaf.has("above") ? leaf.get("above").asDouble() : Double.NEGATIVE_INFINITY;
                below[part] = leaf.has("below") ? leaf.get("below").asDouble() : Double.POSITIVE_INFINITY;
            }
        }

        @Override
        void judge(AnomalyJob.Device device, AnomalyJob.Reading reading, Collector<String> out) {
            boolean holds = true;
            for (int part = 0; part < NUMBERS; part++) {
                double value = reading.values[metrics[part]];
                int known = numbers + part;
                boolean first = device.times[times + part] == 0;
                if (!Double.isNaN(value)) {
                    device.times[times + part] = 1;
                    device.numbers[known] = value;
                } else if (first) {
                    holds = false;
                }
                holds &= device.numbers[known] > above[part] && device.numbers[known] < below[part];
            }
            step(Limits.HOLDS, device, reading, holds ? 1 : 0, out);
        }
    }

    private static long durationMs(JsonNode text) {
        String[] parts = text.asText().split("(?<=\\d)(?=[a-z])");
        return (long) (Double.parseDouble(parts[0]) * UNITS_MS.get(parts[1]));
    }
}
