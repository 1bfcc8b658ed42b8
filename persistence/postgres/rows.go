package postgres

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// rows gives database/sql what a statement returned.
type rows struct {
	pgx.Rows
	fields []pgconn.FieldDescription
	names  []string
	more   bool // the row at hand, which first has read already, was not given yet
	begun  bool
	close  func() error
}

// first reads the first row, as an error may come instead of it.
func first(r pgx.Rows, err error, close func() error) (driver.Rows, error) {
	if err != nil {
		return nil, unsent(errors.Join(err, close()))
	}
	out := &rows{Rows: r, more: r.Next(), close: close}
	if err := r.Err(); err != nil {
		r.Close()
		return nil, unsent(errors.Join(err, close()))
	}
	out.fields = r.FieldDescriptions()
	out.names = make([]string, len(out.fields))
	for i := range out.fields {
		out.names[i] = out.fields[i].Name
	}
	return out, nil
}

// Columns implements driver.Rows.
func (r *rows) Columns() []string { return r.names }

// Close implements driver.Rows.
func (r *rows) Close() error {
	r.Rows.Close()
	return errors.Join(r.Err(), r.close())
}

// Next implements driver.Rows. What it gives is valid until the next call; database/sql copies what it keeps.
func (r *rows) Next(dest []driver.Value) (err error) {
	if r.begun {
		r.more = r.Rows.Next()
	}
	r.begun = true
	if !r.more {
		if err := r.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	for i, src := range r.RawValues() {
		if dest[i] = nil; src == nil {
			continue
		}
		if dest[i], err = value(&r.fields[i], src); err != nil {
			return err
		}
	}
	return nil
}

// epoch is where PostgreSQL's times begin, in microseconds since 1970.
const epoch = 946_684_800_000_000

// value decodes a column. There are few types, and pgx asks for these in binary; what it asks for as text is text.
func value(f *pgconn.FieldDescription, src []byte) (driver.Value, error) {
	if f.Format == pgtype.TextFormatCode {
		switch f.DataTypeOID {
		case pgtype.JSONOID, pgtype.JSONBOID:
			return src, nil
		}
		return string(src), nil
	}
	switch oid, n := f.DataTypeOID, len(src); {
	case oid == pgtype.ByteaOID:
		return src, nil
	case oid == pgtype.BoolOID && n == 1:
		return src[0] != 0, nil
	case oid == pgtype.Int8OID && n == 8:
		return int64(binary.BigEndian.Uint64(src)), nil
	case oid == pgtype.Int4OID && n == 4:
		return int64(int32(binary.BigEndian.Uint32(src))), nil
	case oid == pgtype.TimestamptzOID && n == 8:
		return time.UnixMicro(epoch + int64(binary.BigEndian.Uint64(src))).UTC(), nil
	}
	return nil, fmt.Errorf("postgres: column %s is of a type that is not read here: %d", f.Name, f.DataTypeOID)
}
