"""The numbers for others: Prometheus, OpenTelemetry, Grafana."""
