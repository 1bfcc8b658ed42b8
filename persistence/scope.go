package persistence

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/chancery-id/chancery/tenant"
)

type scopeKey struct{}

func scoped(ctx context.Context, t tenant.ID) context.Context {
	return context.WithValue(ctx, scopeKey{}, t)
}

// Scope returns the tenant whose rows a statement under ctx is about. It is how an engine learns it for its
// connection; nothing else may depend on it.
func Scope(ctx context.Context) (t tenant.ID, ok bool) {
	t, ok = ctx.Value(scopeKey{}).(tenant.ID)
	return t, ok && t != ""
}

// What the plugin refuses.
var (
	errUnscoped = errors.New("persistence: a statement without a tenant")
	errNoModel  = errors.New("persistence: a statement that is neither about a model with a tenant nor made by an effect")
	errForeign  = errors.New("persistence: a row of another tenant")
)

// tenantColumn is the column that every table of a tenant's rows has.
const tenantColumn = "tenant_id"

// tenancy is the gorm plugin that keeps every statement within the tenant of its scope.
type tenancy struct{}

// Name is the plugin's name to gorm.
func (tenancy) Name() string { return "chancery:tenancy" }

// Initialize puts the plugin before all that gorm does.
func (p tenancy) Initialize(g *gorm.DB) error {
	name, cb := p.Name(), g.Callback()
	return errors.Join(
		cb.Create().Before("*").Register(name, stamp),
		cb.Query().Before("*").Register(name, confine),
		cb.Update().Before("*").Register(name, confineUpdate),
		cb.Delete().Before("*").Register(name, confine),
		cb.Row().Before("*").Register(name, confine),
		cb.Raw().Before("*").Register(name, confine),
	)
}

// confine adds the tenant to the conditions of a statement.
func confine(g *gorm.DB) {
	st := g.Statement
	t, ok := Scope(st.Context)
	switch {
	case g.Error != nil:
		return
	case !ok:
		refuse(g, errUnscoped)
		return
	case st.SQL.Len() > 0: // written already
		if m, _ := st.Settings.Load(markKey); m == nil || m.(mark).tenant != t || m.(mark).sql != st.SQL.String() {
			refuse(g, errNoModel)
		}
		return
	}
	if _, ok := field(st); !ok {
		refuse(g, errNoModel)
		return
	}
	conditions := within{t: t}
	if c, ok := st.Clauses["WHERE"]; ok {
		where, ok := c.Expression.(clause.Where)
		if !ok {
			refuse(g, errNoModel)
			return
		}
		conditions.rest = where.Exprs
	}
	// Instead of the conditions, not beside them: one that begins with OR would lead out.
	st.Clauses["WHERE"] = clause.Clause{Name: "WHERE", Expression: clause.Where{Exprs: []clause.Expression{conditions}}}
}

// confineUpdate also refuses to move a row to another tenant.
func confineUpdate(g *gorm.DB) {
	if confine(g); g.Error != nil {
		return
	}
	st := g.Statement
	if _, ok := st.Clauses["SET"]; ok {
		refuse(g, errNoModel)
		return
	}
	t, _ := Scope(st.Context)
	f, _ := field(st)
	switch dest := st.Dest.(type) {
	case map[string]any:
		for _, name := range []string{f.DBName, f.Name} {
			if v, ok := dest[name]; ok && fmt.Sprint(v) != string(t) {
				refuse(g, errForeign)
			}
		}
	default:
		v := reflect.Indirect(reflect.ValueOf(st.Dest))
		if v.Kind() != reflect.Struct || v.Type() != st.Schema.ModelType {
			refuse(g, errNoModel)
			return
		}
		if v, zero := f.ValueOf(st.Context, v); !zero && fmt.Sprint(v) != string(t) {
			refuse(g, errForeign)
		}
	}
	st.Omits = append(st.Omits, f.DBName)
}

// stamp gives new rows their tenant, and lets a conflict change only rows of the same one.
func stamp(g *gorm.DB) {
	st := g.Statement
	t, ok := Scope(st.Context)
	if g.Error != nil {
		return
	} else if !ok {
		refuse(g, errUnscoped)
		return
	}
	f, ok := field(st)
	if !ok || st.SQL.Len() > 0 {
		refuse(g, errNoModel)
		return
	}
	switch st.ReflectValue.Kind() {
	case reflect.Struct:
		stampRow(g, f, st.ReflectValue, t)
	case reflect.Slice, reflect.Array:
		for i := range st.ReflectValue.Len() {
			stampRow(g, f, reflect.Indirect(st.ReflectValue.Index(i)), t)
		}
	default:
		refuse(g, errNoModel)
	}
	if c, ok := st.Clauses["ON CONFLICT"]; ok {
		on, _ := c.Expression.(clause.OnConflict)
		if !on.DoNothing {
			on.Where.Exprs = append(on.Where.Exprs, within{t: t})
			st.Clauses["ON CONFLICT"] = clause.Clause{Name: "ON CONFLICT", Expression: on}
		}
	}
}

func stampRow(g *gorm.DB, f *schema.Field, row reflect.Value, t tenant.ID) {
	ctx := g.Statement.Context
	if v, zero := f.ValueOf(ctx, row); !zero && fmt.Sprint(v) != string(t) {
		refuse(g, errForeign)
		return
	}
	if err := f.Set(ctx, row, string(t)); err != nil {
		refuse(g, err)
	}
}

// field returns the tenant's field of the one model that st is about.
func field(st *gorm.Statement) (*schema.Field, bool) {
	if _, from := st.Clauses["FROM"]; from || st.Schema == nil || st.TableExpr != nil || st.Table != st.Schema.Table || len(st.Joins) > 0 {
		return nil, false
	}
	f, ok := st.Schema.FieldsByDBName[tenantColumn]
	return f, ok
}

func refuse(g *gorm.DB, err error) {
	_ = g.AddError(final{fmt.Errorf("%w (%s)", err, g.Statement.Table)})
}

// within is the condition that a row belongs to t, with all other conditions in parentheses.
type within struct {
	t    tenant.ID
	rest []clause.Expression
}

// Build writes the condition.
func (w within) Build(b clause.Builder) {
	b.WriteQuoted(clause.Column{Table: clause.CurrentTable, Name: tenantColumn})
	_, _ = b.WriteString(" = ")
	b.AddVar(b, string(w.t))
	if len(w.rest) > 0 {
		_, _ = b.WriteString(" AND (")
		clause.Where{Exprs: w.rest}.Build(b)
		_ = b.WriteByte(')')
	}
}
