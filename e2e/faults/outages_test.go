package faults

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// loseDatabase cuts one replica off the database. It must say that it is not ready, and that it lives, so that it is asked
// nothing and not started again; and whoever asks it all the same is told to come again, and nothing false.
func loseDatabase(ctx context.Context, d *deployment, s *strike) error {
	i := s.rng.IntN(len(d.replicas))
	r, w := d.replicas[i], d.wire[i]
	c, err := d.grant(ctx)
	if err != nil {
		return err
	}
	w.cut.Store(true)
	w.reset()
	lost := time.Now()
	for r.ready(ctx) {
		if time.Since(lost) > d.machine.Patience(5*time.Second, lost) {
			d.violated("F6", "%s says that it is ready %v after it has lost its database", r.name, time.Since(lost).Round(time.Millisecond))
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	for end := time.Now().Add(s.last(time.Second, 20*time.Second)); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if resp, err := ask.Get(r.ops + "/healthz"); err != nil || resp.StatusCode != http.StatusOK {
			d.violated("F6", "%s says that it does not live, as its database is away: %v", r.name, err)
		} else {
			resp.Body.Close()
		}
		a := d.call(ctx, request{method: http.MethodPost, url: c.x.on(r, "/token"), client: &c.x.Client, quiet: true,
			form: form("grant_type", "refresh_token", "refresh_token", c.tokens.Refresh)})
		if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
			d.violated("I7", "%s, which has lost its database, answers a refresh with %d %s", r.name, a.status, a.body)
		}
	}
	w.cut.Store(false)
	return r.waitReady(ctx, d.machine, recovery)
}

func killSession(ctx context.Context, d *deployment, s *strike) error {
	if err := d.cluster.killBackend(ctx); err != nil {
		return err
	}
	time.Sleep(s.last(time.Second, 3*time.Second))
	return nil
}

func restartDatabase(_ context.Context, d *deployment, _ *strike) error {
	for _, mode := range []string{"fast", "immediate"} {
		if err := d.cluster.restart(mode); err != nil {
			return err
		}
		time.Sleep(2 * time.Second)
	}
	return nil
}

func freezeDatabase(_ context.Context, d *deployment, s *strike) error {
	d.cluster.pause(true)
	defer d.cluster.pause(false)
	time.Sleep(s.last(4*time.Second, 20*time.Second))
	return nil
}

func cutInSilence(_ context.Context, d *deployment, s *strike) error {
	d.wire.still(true)
	defer d.wire.still(false)
	time.Sleep(s.last(4*time.Second, 60*time.Second))
	return nil
}

// loseAnswers lets the database do what it is asked, and loses its answer now and then: whoever asked does not know.
func loseAnswers(_ context.Context, d *deployment, s *strike) error {
	d.wire.lossy(15)
	defer d.wire.lossy(0)
	time.Sleep(s.last(2*time.Second, 20*time.Second))
	return nil
}

// failToSerialize has every fifth change of a grant fail as transactions do that cannot be put in an order.
func failToSerialize(ctx context.Context, d *deployment, s *strike) error {
	err := d.cluster.exec(ctx, `CREATE SEQUENCE fault_count; GRANT USAGE ON SEQUENCE fault_count TO PUBLIC;
		CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF nextval('fault_count') % 5 = 0 THEN
				IF nextval('fault_count') % 2 = 0 THEN RAISE EXCEPTION 'fault' USING ERRCODE = '40001'; END IF;
				RAISE EXCEPTION 'fault' USING ERRCODE = '40P01';
			END IF;
			RETURN NEW;
		END $$;
		CREATE TRIGGER fault BEFORE INSERT OR UPDATE ON grants FOR EACH ROW EXECUTE FUNCTION fault()`)
	if err != nil {
		return fmt.Errorf("the fault cannot be made: %w", err)
	}
	time.Sleep(s.last(3*time.Second, 20*time.Second))
	return d.cluster.exec(ctx, `DROP TRIGGER fault ON grants; DROP FUNCTION fault(); DROP SEQUENCE fault_count`)
}
