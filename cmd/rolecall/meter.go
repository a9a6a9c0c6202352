package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rolecall/lifecycle"
	"rolecall/storage"
)

// meter counts what happens, for Prometheus.
type meter struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	events   *prometheus.CounterVec
}

func newMeter() *meter {
	m := &meter{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rolecall_http_requests_total", Help: "Answers by route and status."}, []string{"route", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rolecall_http_seconds", Help: "Time to answer, by route.", Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 3},
		}, []string{"route"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rolecall_events_total", Help: "Lines of the record since the start, by kind."}, []string{"kind"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.events,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watch adds what the database tells.
func (m *meter) watch(db *storage.DB) { m.registry.MustRegister(stateCollector{db}) }

func (m *meter) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// count counts answers by the route's pattern, never by the path: a stranger
// cannot make new series.
func (m *meter) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, seen := time.Now(), &statusWriter{ResponseWriter: w, code: http.StatusOK}
		next.ServeHTTP(seen, r)
		route := r.Pattern
		if route == "" {
			route = "none"
		}
		m.requests.WithLabelValues(route, strconv.Itoa(seen.code)).Inc()
		m.seconds.WithLabelValues(route).Observe(time.Since(start).Seconds())
	})
}

type statusWriter struct {
	http.ResponseWriter
	code int
}

// WriteHeader notes the status on its way out.
func (w *statusWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap returns the writer that it wraps, for what sets deadlines.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// stateCollector reads the state of the house when it is asked for.
type stateCollector struct{ db *storage.DB }

var (
	jobsDesc     = prometheus.NewDesc("rolecall_jobs", "Steps in the queue, by kind and state.", []string{"kind", "state"}, nil)
	requestsDesc = prometheus.NewDesc("rolecall_requests", "Requests that something may still come of, by state.", []string{"state"}, nil)
	findingsDesc = prometheus.NewDesc("rolecall_findings_open", "Findings that stand, by kind.", []string{"kind"}, nil)
	rollDesc     = prometheus.NewDesc("rolecall_last_roll_call_timestamp_seconds", "When the last whole roll call was.", nil, nil)
)

// Describe tells Prometheus what there is.
func (c stateCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- jobsDesc
	ch <- requestsDesc
	ch <- findingsDesc
	ch <- rollDesc
}

// Collect reads it. What cannot be read makes the scrape fail, not look like zero.
func (c stateCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	if err := errors.Join(c.jobs(ctx, ch), c.requests(ctx, ch), c.findings(ctx, ch)); err != nil {
		ch <- prometheus.NewInvalidMetric(jobsDesc, err)
	}
}

func (c stateCollector) jobs(ctx context.Context, ch chan<- prometheus.Metric) error {
	stats, err := c.db.JobStats(ctx)
	if err != nil {
		return fmt.Errorf("collect jobs: %w", err)
	}
	for _, j := range stats {
		ch <- gauge(jobsDesc, j.Count, string(j.Kind), j.State)
	}
	return nil
}

func (c stateCollector) requests(ctx context.Context, ch chan<- prometheus.Metric) error {
	open, err := c.db.Requests(ctx, lifecycle.RequestFilter{Open: true})
	if err != nil {
		return fmt.Errorf("collect requests: %w", err)
	}
	count := map[string]int{}
	for _, r := range open {
		count[string(r.State)]++
	}
	for state, n := range count {
		ch <- gauge(requestsDesc, n, state)
	}
	return nil
}

func (c stateCollector) findings(ctx context.Context, ch chan<- prometheus.Metric) error {
	found, _, err := c.db.Findings(ctx, time.Now())
	if err != nil {
		return fmt.Errorf("collect findings: %w", err)
	}
	count := map[string]int{}
	for _, f := range found {
		count[string(f.Kind)]++
	}
	for kind, n := range count {
		ch <- gauge(findingsDesc, n, kind)
	}
	last, err := c.db.LastRollCall(ctx)
	if err != nil {
		return fmt.Errorf("collect the last roll call: %w", err)
	}
	if !last.IsZero() {
		ch <- gauge(rollDesc, int(last.Unix()))
	}
	return nil
}

func gauge(d *prometheus.Desc, n int, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
}
