"""Some of Archivematica's metrics, which its client scripts count."""

from prometheus_client import Counter, Gauge, Histogram

job_counter = Counter("mcpclient_job_total", "Number of jobs processed, labeled by script", ["script_name"])
transfer_started_counter = Counter("mcpclient_transfer_started_total", "Number of transfers", ["transfer_type"])
transfer_started_timestamp = Gauge("mcpclient_transfer_started_timestamp", "Most recent transfer", ["transfer_type"])
aips_stored_counter = Counter("mcpclient_aips_stored_total", "Number of AIPs stored")
sip_started_counter = Counter("mcpclient_sip_started_total", "Number of SIPs", ["sip_type"])
dips_stored_counter = Counter("mcpclient_dips_stored_total", "Number of DIPs stored")
aip_files_per_count = Histogram("mcpclient_aip_files_stored", "Files in AIPs", buckets=[1, 10, 100])


def transfer_started(transfer_type):
    transfer_started_counter.labels(transfer_type=transfer_type).inc()
    transfer_started_timestamp.labels(transfer_type=transfer_type).set(1700000000)


def aip_stored(files):
    aips_stored_counter.inc()
    aip_files_per_count.observe(files)
