package console

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/chancery-id/chancery/admin"
)

// shownUsage is how many tokens were issued on a day, of a group where one was asked for.
type shownUsage struct {
	Day      string `json:"day"`
	TenantID string `json:"tenant_id,omitempty"`
	ClientID string `json:"client_id,omitempty"`
	Kind     string `json:"kind,omitempty" doc:"access_token, refresh_token or id_token"`
	Tokens   int64  `json:"tokens"`
}

// usageList is a page of usage. Next is absent on the last one.
type usageList struct {
	From  string       `json:"from"`
	To    string       `json:"to"`
	Usage []shownUsage `json:"usage"`
	Next  string       `json:"next_cursor,omitempty"`
}

// dayFormat is that of days, which are in UTC (RFC 3339 full-date).
const dayFormat = time.DateOnly

// Bounds of what is asked for.
const (
	usageDays   = 30 // by default
	longestSpan = 3660
)

// day is a day as a number since 1970-01-01.
func day(t time.Time) int32 { return int32(t.Unix() / (24 * 60 * 60)) }

func shownDay(n int32) string { return time.Unix(int64(n)*24*60*60, 0).UTC().Format(dayFormat) }

// span is the days that a query is about.
func (d *Door) span(q *call) (from, to time.Time, err error) {
	to = d.Console.Now().UTC().Truncate(24 * time.Hour)
	for name, at := range map[string]*time.Time{"to": &to, "from": &from} {
		if v := q.query.Get(name); v != "" {
			if *at, err = time.Parse(dayFormat, v); err != nil || at.Year() < 1970 {
				return from, to, &badParameter{name, "must be a day, such as 2026-11-20"}
			}
		}
	}
	if q.query.Get("from") == "" {
		from = to.AddDate(0, 0, 1-usageDays)
	}
	if to.Before(from) || to.Sub(from) > longestSpan*24*time.Hour {
		return from, to, &badParameter{"from", "must be before to, by ten years at most"}
	}
	return from, to, nil
}

func (d *Door) listUsage(q *call) (*usageList, error) {
	return d.usage(q, func(ctx context.Context, u admin.UsageQuery, after admin.UsageRow, n int) ([]admin.UsageRow, error) {
		return d.Console.TokensIssued(ctx, q.id, u, after, n)
	})
}

func (d *Door) listAllUsage(q *call) (*usageList, error) {
	return d.usage(q, d.Console.AllTokensIssued)
}

func (d *Door) usage(q *call, list func(context.Context, admin.UsageQuery, admin.UsageRow, int) ([]admin.UsageRow, error)) (*usageList, error) {
	n, err := limitOf(q.query)
	if err != nil {
		return nil, err
	}
	from, to, err := d.span(q)
	if err != nil {
		return nil, err
	}
	u := admin.UsageQuery{From: day(from), To: day(to), By: admin.UsageGroup(q.query.Get("group_by"))}
	name := fmt.Sprintf("usage of %s %d %d %s", q.id, u.From, u.To, u.By)
	last, err := afterOf(q.home, name, q.query)
	if err != nil {
		return nil, err
	}
	var after admin.UsageRow
	if last != "" {
		text, group, _ := strings.Cut(last, " ")
		number, _ := strconv.ParseInt(text, 10, 32)
		after = admin.UsageRow{Day: int32(number), Group: group, Tokens: 1}
	}
	rows, err := list(q.Request.Context(), u, after, n+1)
	if err != nil {
		return nil, err
	}
	page := &usageList{From: from.Format(dayFormat), To: to.Format(dayFormat), Usage: []shownUsage{}}
	for _, r := range rows[:min(n, len(rows))] {
		s := shownUsage{Day: shownDay(r.Day), Tokens: r.Tokens}
		if to := map[admin.UsageGroup]*string{admin.ByClient: &s.ClientID, admin.ByKind: &s.Kind, admin.ByTenant: &s.TenantID}[u.By]; to != nil {
			*to = r.Group
		}
		page.Usage = append(page.Usage, s)
	}
	if len(rows) > n {
		page.Next = cursor(q.home, name, fmt.Sprint(rows[n-1].Day, " ", rows[n-1].Group))
	}
	return page, nil
}

// activeList is how many users were active.
type activeList struct {
	Months []activeMonth `json:"months"`
}

type activeMonth struct {
	Month string      `json:"month"`
	Users int64       `json:"users" doc:"That got tokens in the month, each counted once"`
	Days  []activeDay `json:"days"`
}

type activeDay struct {
	Day   string `json:"day"`
	Users int64  `json:"users"`
}

func (d *Door) listActive(q *call) (*activeList, error) {
	from, to, err := d.span(q)
	if err != nil {
		return nil, err
	}
	ms, err := d.Console.ActiveSubjects(q.Request.Context(), q.id, admin.MonthOf(from), admin.MonthOf(to))
	if err != nil {
		return nil, err
	}
	out := &activeList{Months: []activeMonth{}}
	for _, m := range ms {
		begin := m.Month.Begin()
		shown := activeMonth{Month: begin.Format("2006-01"), Users: m.Subjects, Days: []activeDay{}}
		for i, n := range m.Days {
			if n > 0 {
				shown.Days = append(shown.Days, activeDay{begin.AddDate(0, 0, i).Format(dayFormat), n})
			}
		}
		out.Months = append(out.Months, shown)
	}
	return out, nil
}
