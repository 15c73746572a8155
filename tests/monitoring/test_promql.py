"""The reader of expressions that the other tests rely on."""

import pytest
from promql import metrics_in


@pytest.mark.parametrize(("expression", "metrics"), [
    ("up == 0", {"up": set()}),
    ('sum by (door, route) (rate(a_total{status=~"5..", door="http"}[5m]))', {"a_total": {"status", "door"}}),
    ("sum(rate(a[5m])) by (le)", {"a": set()}),
    ("histogram_quantile(0.99, sum by (le) (rate(a_bucket[$__rate_interval])))", {"a_bucket": set()}),
    ("a / on (job) group_left (version) b", {"a": set(), "b": set()}),
    ("x:y:rate5m > bool 1e3 and on () c offset 1h", {"x:y:rate5m": set(), "c": set()}),
    ('a{b="c{d} by (e) f"} unless ignoring (g) h', {"a": {"b"}, "h": set()}),
    ("a # not b\n+ c", {"a": set(), "c": set()}),
    ("a{b!='1'} + a{c!~`2`}", {"a": {"b", "c"}}),
    ("label_values(a, route)", {"a": set(), "route": set()}),
    ('a{b="$b"} * $factor', {"a": {"b"}}),
    ("group by (job) (last_over_time(up[1h])) unless group by (job) (up)", {"up": set()}),
    ("1 + 2", {}),
])
def test_metrics_and_their_labels_are_found(expression, metrics):
    assert metrics_in(expression) == metrics
