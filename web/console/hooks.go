package console

// hookSecret is what a hook's calls are signed with.
type hookSecret struct {
	Hook   string `json:"hook"`
	URL    string `json:"url"`
	Number int64  `json:"number" doc:"As in the settings: raising it makes a new secret"`
	Secret string `json:"secret" doc:"As Standard Webhooks write it"`
}

func (d *Door) readHookSecret(q *call) (hookSecret, error) {
	h, secret, err := d.Console.HookSecret(q.Request.Context(), q.id, q.Param("hook"))
	if err != nil {
		return hookSecret{}, err
	}
	return hookSecret{Hook: q.Param("hook"), URL: h.URL, Number: h.Secret, Secret: secret}, nil
}
