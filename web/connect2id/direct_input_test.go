package connect2id

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDirectInput(t *testing.T) {
	object := `{"x":"` + strings.Repeat("x", maxObject) + `"}`
	long, _ := json.Marshal(strings.Repeat("x", maxObject-100))
	each(t, func(t *testing.T, w *world) {
		sid := w.granted(t, order(aliceSession, `,"long_lived":true`)).SubSID
		before := w.standing(t)
		for _, tt := range []struct{ rule, body, want string }{
			{"nothing", `{}`, "exactly one of sub, sub_session and sub_sid must be given"},
			{"nobody", order(`"sub":null,"sub_sid":""`, ``), "exactly one of sub, sub_session and sub_sid must be given"},
			{"a subject twice", order(`"sub":"alice","sub_session":{"sub":"alice"}`, ``), "exactly one of sub, sub_session and sub_sid must be given"},
			{"a session twice", order(`"sub_sid":"`+sid+`","sub_session":{"sub":"alice"}`, ``), "exactly one of sub, sub_session and sub_sid must be given"},
			{"subject and session", order(`"sub":"alice","sub_sid":"`+sid+`"`, ``), "exactly one of sub, sub_session and sub_sid must be given"},
			{"sub in another case", order(`"Sub":"alice"`, ``), "exactly one of sub, sub_session and sub_sid must be given"},
			{"sub is a number", order(`"sub":7`, ``), "The JSON member sub has the wrong type"},
			{"sub is too long", order(`"sub":"`+strings.Repeat("x", 256)+`"`, ``), "sub must have 1 to 255 printable ASCII characters"},
			{"sub has a line break", order(`"sub":"a\nb"`, ``), "sub must have 1 to 255 printable ASCII characters"},
			{"sub is the client", order(`"sub":"8cc2043"`, ``), "sub is the id of the client"},
			{"sub_sid is an object", order(`"sub_sid":{}`, ``), "The JSON member sub_sid has the wrong type"},
			{"sub_session is a text", order(`"sub_session":"alice"`, ``), "The JSON member sub_session has the wrong type"},
			{"sub_session without sub", order(`"sub_session":{}`, ``), "sub_session.sub is missing"},
			{"sub_session.sub is a number", order(`"sub_session":{"sub":7}`, ``), "The JSON member sub_session.sub has the wrong type"},
			{"sub_session.sub is the client", order(`"sub_session":{"sub":"8cc2043"}`, ``), "sub is the id of the client"},
			{"sub_session.auth_time is negative", order(`"sub_session":{"sub":"alice","auth_time":-1}`, ``), "sub_session.auth_time is out of range"},
			{"sub_session.creation_time is beyond time", order(`"sub_session":{"sub":"alice","creation_time":9000000000000000000}`, ``), "sub_session.creation_time is out of range"},
			{"sub_session.auth_time is to come", order(`"sub_session":{"sub":"alice","auth_time":1772366461}`, ``), "auth_time must not lie ahead"},
			{"sub_session.amr holds a number", order(`"sub_session":{"sub":"alice","amr":[1]}`, ``), "The JSON member sub_session.amr has the wrong type"},
			{"sub_session is over already", order(`"sub_session":{"sub":"alice","creation_time":0}`, ``), "the session would be over already"},
			{"sub_session contradicts itself", order(`"sub_session":{"sub":"alice","max_life":1,"auth_life":2}`, ``), "max_life must not be less than auth_life, nor auth_life less than max_idle"},
			{"sub_session.claims is an array", order(`"sub_session":{"sub":"alice","claims":[]}`, ``), "sub_session.claims must be an object"},
			{"sub_session.claims names the issuer", order(`"sub_session":{"sub":"alice","claims":{"iss":"x"}}`, ``), "claims holds a name that is not allowed"},
			{"sub_session.data is too long", order(`"sub_session":{"sub":"alice","data":`+object+`}`, ``), "sub_session.data is too long"},
			{"sub_session.jkt", order(`"sub_session":{"sub":"alice","jkt":"x"}`, ``), "jkt must be the base64url form of a SHA-256 hash"},
			{"no client", `{"sub":"alice","scope":["a"]}`, "client_id is missing"},
			{"client_id is a number", `{"sub":"alice","client_id":8,"scope":["a"]}`, "The JSON member client_id has the wrong type"},
			{"no scope", `{"sub":"alice","client_id":"8cc2043"}`, "scope is missing"},
			{"scope is null", `{"sub":"alice","client_id":"8cc2043","scope":null}`, "scope is missing"},
			{"scope is a text", `{"sub":"alice","client_id":"8cc2043","scope":"a b"}`, "The JSON member scope has the wrong type"},
			{"a scope value is two", `{"sub":"alice","client_id":"8cc2043","scope":["a b"]}`, "scope holds a value that is not allowed"},
			{"a scope value is empty", `{"sub":"alice","client_id":"8cc2043","scope":[""]}`, "scope holds a value that is not allowed"},
			{"scope is too long", `{"sub":"alice","client_id":"8cc2043","scope":["` + strings.Repeat("a", 4097) + `"]}`, "scope is too long"},
			{"scope is an asterisk", `{"sub":"alice","client_id":"8cc2043","scope":["*"]}`, "scope and claims must name their values: nothing was asked that * could stand for"},
			{"claims is an asterisk", order(alice, `,"claims":["*"]`), "scope and claims must name their values: nothing was asked that * could stand for"},
			{"claims is one for the ID token", order(alice, `,"claims":["*"],"claims_transport":"ID_TOKEN"`), "scope and claims must name their values: nothing was asked that * could stand for"},
			{"claims is an object", order(alice, `,"claims":{}`), "The JSON member claims has the wrong type"},
			{"a claim name is quoted", order(alice, `,"claims":["a\"b"]`), "claims holds a name that is not allowed"},
			{"all claims for access tokens", order(alice, `,"claims":["access_token:dat:*"]`), "claims with the prefix access_token: must be named: there is no * of them"},
			{"two places of a claim", order(alice, `,"claims":["id_token:access_token:email"]`), "claims holds a name with more prefixes than one"},
			{"claims_locales holds no language", order(alice, `,"claims_locales":["<"]`), "claims_locales holds what is not a language tag"},
			{"claims_transport is unknown", order(alice, `,"claims_transport":"userinfo"`), "claims_transport must be USERINFO or ID_TOKEN"},
			{"claims_transport is a list", order(alice, `,"claims_transport":["USERINFO"]`), "The JSON member claims_transport has the wrong type"},
			{"a preset subject", order(alice, `,"preset_claims":{"id_token":{"sub":"x"}}`), "preset_claims holds a name that is not allowed"},
			{"preset_claims.userinfo is a list", order(alice, `,"preset_claims":{"userinfo":[]}`), "The JSON member preset_claims.userinfo has the wrong type"},
			{"claims_data is a text", order(alice, `,"claims_data":"x"`), "claims_data must be an object"},
			{"data is a list", order(alice, `,"data":[]`), "data must be an object"},
			{"data is too long", order(alice, `,"data":`+object), "data is too long"},
			{"data is too long for a token", order(aliceSession, `,"long_lived":true,"data":{"x":`+string(long)+`}`), "claims, data, scope and audience together are more than fits into a token"},
			{"so are preset claims", order(aliceSession, `,"preset_claims":{"id_token":{"x":`+string(long)+`}}`), "claims, data, scope and audience together are more than fits into a token"},
			{"long_lived is a text", order(alice, `,"long_lived":"true"`), "The JSON member long_lived has the wrong type"},
			{"audience holds an empty text", order(alice, `,"audience":[""]`), "audience holds a value that is not allowed"},
			{"audience is a text", order(alice, `,"audience":"a"`), "The JSON member audience has the wrong type"},
			{"access_token is a text", order(alice, `,"access_token":"IDENTIFIER"`), "The JSON member access_token has the wrong type"},
			{"access_token.lifetime is negative", order(alice, `,"access_token":{"lifetime":-1}`), "a lifetime is out of range"},
			{"access_token.lifetime is a fraction", order(alice, `,"access_token":{"lifetime":1.5}`), "The JSON member access_token.lifetime has the wrong type"},
			{"access_token.encoding is unknown", order(alice, `,"access_token":{"encoding":"JWT"}`), "access_token.encoding must be SELF_CONTAINED or IDENTIFIER"},
			{"access_token.encrypt is a number", order(alice, `,"access_token":{"encrypt":1}`), "The JSON member access_token.encrypt has the wrong type"},
			{"pairwise access tokens", order(alice, `,"audience":["x"],"access_token":{"sub_type":"PAIRWISE"}`), "access_token.sub_type PAIRWISE is not supported"},
			{"an algorithm without a key", order(alice, `,"access_token":{"jws_alg":"ES384"}`), "access_token.jws_alg is no algorithm that the tenant has a key for"},
			{"no algorithm", order(alice, `,"access_token":{"jws_alg":"none"}`), "access_token.jws_alg is no algorithm that the tenant has a key for"},
			{"id_token.lifetime is beyond time", order(aliceSession, `,"id_token":{"lifetime":9000000000000000000}`), "a lifetime is out of range"},
			{"id_token.allow_refresh is a text", order(alice, `,"id_token":{"allow_refresh":"x"}`), "The JSON member id_token.allow_refresh has the wrong type"},
			{"refresh_token.issue is a number", order(alice, `,"refresh_token":{"issue":1}`), "The JSON member refresh_token.issue has the wrong type"},
			{"refresh_token.lifetime is negative", order(alice, `,"refresh_token":{"lifetime":-1}`), "a lifetime is out of range"},
			{"two words on the refresh token", order(alice, `,"issue_refresh_token":true,"refresh_token":{"issue":false}`), "issue_refresh_token and refresh_token.issue contradict each other"},
			{"impersonated_sub is a number", order(alice, `,"impersonated_sub":7`), "The JSON member impersonated_sub has the wrong type"},
			{"impersonated_sub is too long", order(alice, `,"impersonated_sub":"`+strings.Repeat("x", 256)+`"`), "impersonated_sub must have 1 to 255 printable ASCII characters"},
			{"impersonated_sub is the client", order(aliceSession, `,"impersonated_sub":"8cc2043"`), "impersonated_sub is the id of the client"},
			{"a mistyped member of access_token", `{"access_token":{"liftime":5}}`, "Unknown JSON member at offset 17"},
			{"a mistyped member of refresh_token", `{"refresh_token":{"rotat":true}}`, "Unknown JSON member at offset 18"},
			{"two to be impersonated", order(alice, `,"impersonated_sub":"a","id_token":{"impersonated_sub":"b"}`), "impersonated_sub and id_token.impersonated_sub contradict each other"},
		} {
			if rec := w.direct(tt.body); rec.Code != 400 || errorOf(rec) != "invalid_request: "+tt.want {
				t.Errorf("%s: got %d %s", tt.rule, rec.Code, errorOf(rec))
			}
		}
		if after := w.standing(t); after != before {
			t.Errorf("something has changed: %s, then %s", before, after)
		}
		w.granted(t, order(alice, `,"unheard_of":{"x":[1]},"audience":null,"Scope":["b"],"redirect_uri":7`))
		for _, c := range []struct{ method, path string }{{"GET", directPath}, {"PUT", directPath}, {"DELETE", directPath}} {
			if rec := w.call(c.method, c.path, "", nil); rec.Code != 405 {
				t.Errorf("%s: got %d", c.method, rec.Code)
			}
		}
	})
}
