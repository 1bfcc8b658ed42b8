package persistence

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"
)

// cut is how times are stored and compared: in UTC, in whole microseconds.
func cut(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// at is t as an argument: NULL where it is zero.
func at(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return cut(t)
}

// orNull is s as an argument: NULL where it is empty.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// when scans a column of time; NULL is the zero time.
type when struct{ to *time.Time }

// Scan implements sql.Scanner.
func (w when) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*w.to = time.Time{}
	case time.Time:
		*w.to = v.UTC()
	case string: // SQLite, where it does not know a column's type
		t, err := time.Parse("2006-01-02 15:04:05.999999999-07:00", v)
		if err != nil {
			return err
		}
		*w.to = t.UTC()
	default:
		return fmt.Errorf("persistence: %T is not a time", src)
	}
	return nil
}

// moment is a column of time in a row of gorm's.
type moment struct{ time.Time }

// Value implements driver.Valuer.
func (m moment) Value() (driver.Value, error) { return at(m.Time), nil }

// Scan implements sql.Scanner.
func (m *moment) Scan(src any) error { return when{&m.Time}.Scan(src) }

// into scans a column of JSON into what it points to. NULL leaves it as it is.
type into struct{ to any }

// Scan implements sql.Scanner.
func (i into) Scan(src any) error {
	b, err := bytesOf(src)
	if err != nil || b == nil {
		return err
	}
	return json.Unmarshal(b, i.to)
}

// document is a column of JSON. NULL is the zero value.
type document[T any] struct{ V T }

// Value implements driver.Valuer.
func (d document[T]) Value() (driver.Value, error) {
	b, err := json.Marshal(d.V)
	return string(b), err
}

// Scan implements sql.Scanner.
func (d *document[T]) Scan(src any) error {
	return into{&d.V}.Scan(src)
}

// raw is a column of JSON that a caller gave, or NULL.
type raw json.RawMessage

// Value implements driver.Valuer.
func (r raw) Value() (driver.Value, error) {
	if len(r) == 0 {
		return nil, nil
	}
	return string(r), nil
}

// Scan implements sql.Scanner.
func (r *raw) Scan(src any) error {
	b, err := bytesOf(src)
	*r = append(raw(nil), b...)
	return err
}

// bytesOf returns the JSON of a column, nil where it is NULL.
func bytesOf(src any) ([]byte, error) {
	switch v := src.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(v), nil
	case []byte:
		return v, nil
	}
	return nil, fmt.Errorf("persistence: %T is not JSON", src)
}

// list returns s, never nil, so that its JSON is an array.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
