package connect2id

import (
	"math"
	"slices"
	"time"
)

// timed ends the names of timers.
const timed = "timer"

// timer counts requests, how often they come, and how long the last of them took.
type timer struct {
	meter
	last [remembered]time.Duration // of which all are set once there were so many
}

// remembered is how many requests the durations of a timer are of.
const remembered = 1024

func (x *timer) add(d time.Duration) {
	x.last[x.count%remembered] = d
	x.count++
	x.since++
}

// timerShown is a timer as it is shown. Durations are in seconds, of the last requests; rates in requests a second.
type timerShown struct {
	Count         int64   `json:"count"`
	Max           float64 `json:"max"`
	Mean          float64 `json:"mean"`
	Min           float64 `json:"min"`
	P50           float64 `json:"p50"`
	P75           float64 `json:"p75"`
	P95           float64 `json:"p95"`
	P98           float64 `json:"p98"`
	P99           float64 `json:"p99"`
	P999          float64 `json:"p999"`
	Stddev        float64 `json:"stddev"`
	M15           float64 `json:"m15_rate"`
	M1            float64 `json:"m1_rate"`
	M5            float64 `json:"m5_rate"`
	MeanRate      float64 `json:"mean_rate"`
	DurationUnits string  `json:"duration_units"`
	RateUnits     string  `json:"rate_units"`
}

// shown is a timer after it has counted for that many seconds.
func (x *timer) shown(life float64) timerShown {
	m := x.meter.shown(life)
	out := timerShown{Count: m.Count, M1: m.M1, M5: m.M5, M15: m.M15, MeanRate: m.MeanRate, DurationUnits: "seconds", RateUnits: "calls/second"}
	n := min(x.count, remembered)
	if n == 0 {
		return out
	}
	ds := slices.Sorted(slices.Values(x.last[:n]))
	at := func(part float64) float64 { return ds[int(math.Ceil(part*float64(n)))-1].Seconds() }
	out.Min, out.Max = ds[0].Seconds(), ds[n-1].Seconds()
	out.P50, out.P75, out.P95, out.P98, out.P99, out.P999 = at(.5), at(.75), at(.95), at(.98), at(.99), at(.999)
	for _, d := range ds {
		out.Mean += d.Seconds() / float64(n)
	}
	for _, d := range ds {
		out.Stddev += (d.Seconds() - out.Mean) * (d.Seconds() - out.Mean) / float64(n)
	}
	out.Stddev = math.Sqrt(out.Stddev)
	return out
}
