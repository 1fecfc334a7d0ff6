# Judges the lines "service state health exit-code" of `docker compose ps`: what serves must be healthy, what ran once must have
# ended well.
BEGIN {
    split("secrets topics migrate search-index s3-bucket", names)
    for (place in names) once[names[place]] = 1
}
{
    good = ($2 == "running" && $3 == "healthy") || ($1 in once && $2 == "exited" && $NF == "0")
    printf "%-20s %s\n", $1, good ? ($2 == "exited" ? "done" : "healthy") : $2 " " (NF > 3 ? $3 : "") " " $NF
    if (!good) bad = 1
}
END {
    if (NR == 0) { print "no container runs: `make start`"; bad = 1 }
    exit bad
}
