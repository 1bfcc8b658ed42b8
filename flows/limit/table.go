package limit

import "time"

// Rate is how often something may be done: so many times a second in the long run, and Burst at once. The zero Rate
// is no limit.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Limit is one named limit on calls.
type Limit struct {
	Name   string
	Tenant Rate   // of the tenant as a whole
	Keys   []Rate // of each key that the caller names, by position; of further keys there is none
}

// The names of limits on calls, with the keys that go with each.
const (
	Request   = "request"   // any request to a public endpoint: source
	Authorize = "authorize" // authorization requests, which are stored before anybody has authenticated: source
	Push      = "push"      // pushed authorization requests, which are stored: source, and client if it has authenticated
	Login     = "login"     // what our own pages are sent: source
	Token     = "token"     // the token endpoint: client
	Question  = "question"  // introspection, revocation and UserInfo: client
	Register  = "register"  // open registration: source
	Document  = "document"  // documents of clients that are fetched for strangers
	Admin     = "admin"     // the administration: token

	SentCode    = "sent code"   // codes that are sent to subjects: subject, and client
	Backchannel = "backchannel" // backchannel authentications: client and the user it asks for, together
	Queue       = "queue"       // an app that asks what waits for its user: its session
)

// Development are the limits on a developer's machine: those that a load test would meet are out of its reach.
func Development() []Limit {
	return []Limit{
		{Name: Request, Keys: []Rate{{50_000, 100_000}}},
		{Name: Authorize, Keys: []Rate{{20_000, 40_000}}},
		{Name: Push, Keys: []Rate{{20_000, 40_000}, {20_000, 40_000}}},
		{Name: Login, Keys: []Rate{{1000, 2000}}},
		{Name: Token, Keys: []Rate{{50_000, 100_000}}},
		{Name: Question, Keys: []Rate{{100_000, 200_000}}},
		{Name: Register, Tenant: Rate{100, 1000}, Keys: []Rate{{100, 1000}}},
		{Name: Document, Tenant: Rate{100, 1000}},
		{Name: Admin, Keys: []Rate{{2000, 10_000}}},
		{Name: Backchannel, Keys: []Rate{{20, 100}}},
		{Name: Queue, Keys: []Rate{{100, 1000}}},
		{Name: SentCode, Keys: []Rate{{1, 100}, {100, 1000}}},
	}
}

// Production are the limits where nothing else is configured.
func Production() []Limit {
	return []Limit{
		{Name: Request, Tenant: Rate{20_000, 40_000}, Keys: []Rate{{500, 2000}}},
		{Name: Authorize, Tenant: Rate{2000, 10_000}, Keys: []Rate{{50, 500}}},
		{Name: Push, Tenant: Rate{2000, 10_000}, Keys: []Rate{{200, 2000}, {1000, 5000}}},
		{Name: Login, Tenant: Rate{500, 2000}, Keys: []Rate{{10, 100}}},
		{Name: Token, Tenant: Rate{10_000, 20_000}, Keys: []Rate{{2000, 4000}}},
		{Name: Question, Tenant: Rate{20_000, 40_000}, Keys: []Rate{{10_000, 20_000}}},
		{Name: Register, Tenant: Rate{1, 100}, Keys: []Rate{{1.0 / 60, 10}}},
		{Name: Document, Tenant: Rate{2, 50}},
		{Name: Admin, Tenant: Rate{500, 2000}, Keys: []Rate{{50, 500}}},
		{Name: Backchannel, Keys: []Rate{{1.0 / 20, 10}}},
		{Name: Queue, Keys: []Rate{{1.0 / 2, 10}}},
		{Name: SentCode, Keys: []Rate{{1.0 / 60, 5}, {50, 500}}},
	}
}

// Backoff is how wrong guesses are answered: after Free of them each further one blocks for twice as long as the one
// before, from First up to Longest. One is forgotten every Forgive. The zero Backoff counts nothing.
type Backoff struct {
	Free           int
	First, Longest time.Duration
	Forgive        time.Duration
}

// Guess is one sort of secret that can be guessed at.
type Guess struct {
	Name   string
	Pair   Backoff // of one key from one source
	Key    Backoff // of one key from any source that has not guessed right before
	Source Backoff // of any key from one source
}

// The names of what can be guessed at, with the key that goes with each.
const (
	Password     = "password"      // folded user name
	ClientSecret = "client_secret" // client id

	UserCode          = "user_code"            // none: any code of a device that waits at the tenant is guessed at
	UserCodeOfAccount = "user_code of account" // subject who enters it

	Code         = "otp"           // subject
	CodeByClient = "otp of client" // client id, from nowhere in particular
	Challenge    = "challenge"     // likewise: what a first-party client guesses at

	UserCodeOfHint = "user_code of login_hint" // subject that a client asks for, or the hint that names none; source: the client
)

// Guesses are the limits on guessing, everywhere.
//
// Wrong passwords for one account block their source soon, and the account as a whole only after many more and never
// for more than a minute, so that nobody can lock another out. A client secret has 256 bits, so a misconfigured client
// is given time, and no number of wrong ones from elsewhere keeps the client itself out. A user code is short and lives
// for minutes: a source has few guesses, and all sources together one a second once they have used up many. A code beside a
// password is as short and new every half minute: who guesses knows the password, so its user is locked out sooner.
func Guesses() []Guess {
	return []Guess{
		{
			Name:   Password,
			Pair:   Backoff{Free: 10, First: time.Second, Longest: 15 * time.Minute, Forgive: 3 * time.Minute},
			Key:    Backoff{Free: 200, First: time.Second, Longest: time.Minute, Forgive: time.Minute},
			Source: Backoff{Free: 300, First: time.Second, Longest: 5 * time.Minute, Forgive: 10 * time.Second},
		},
		{
			Name: ClientSecret,
			Pair: Backoff{Free: 100, First: time.Second, Longest: time.Minute, Forgive: 6 * time.Second},
		},
		{
			Name: UserCode,
			Pair: Backoff{Free: 10, First: time.Second, Longest: 15 * time.Minute, Forgive: time.Minute},
			Key:  Backoff{Free: 500, First: time.Second, Longest: 10 * time.Second, Forgive: time.Second},
		},
		{
			Name: UserCodeOfAccount,
			Pair: Backoff{Free: 20, First: time.Second, Longest: 15 * time.Minute, Forgive: time.Minute},
		},
		{
			Name: UserCodeOfHint,
			Pair: Backoff{Free: 5, First: 2 * time.Second, Longest: time.Hour, Forgive: 10 * time.Minute},
			Key:  Backoff{Free: 50, First: time.Second, Longest: time.Minute, Forgive: time.Minute},
		},
		{
			Name:   Code,
			Pair:   Backoff{Free: 5, First: 5 * time.Second, Longest: time.Hour, Forgive: 10 * time.Minute},
			Key:    Backoff{Free: 30, First: 5 * time.Second, Longest: 15 * time.Minute, Forgive: 10 * time.Minute},
			Source: Backoff{Free: 100, First: time.Second, Longest: 5 * time.Minute, Forgive: 30 * time.Second},
		},
		{
			Name: Challenge,
			Pair: Backoff{Free: 1000, First: time.Second, Longest: 10 * time.Second, Forgive: time.Second},
		},
		{
			Name: CodeByClient,
			Pair: Backoff{Free: 1000, First: time.Second, Longest: 10 * time.Second, Forgive: time.Second},
		},
	}
}
