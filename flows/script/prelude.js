// What every script finds beside the language: the api of its handler. It runs before the script, in the same fresh runtime.
(function (ask, print, parse, stringify) {
	'use strict';
	let decision;
	const decide = (d) => {
		if (decision !== undefined) throw new Error('the event is decided already');
		return decision = d;
	};
	const host = (name) => (...args) => ask(name, stringify(args));
	const show = (v) => {
		if (typeof v === 'string') return v;
		if (v instanceof Error) return String(v.stack || v);
		try {
			const text = stringify(v);
			return text === undefined ? String(v) : text;
		} catch (e) {
			return String(v);
		}
	};
	const printer = (level) => (...args) => print(level, args.map(show).join(' '));
	const request = host('fetch');
	const api = {
		next: (error, o = {}) => decide({...o, action: 'next', error}),
		allow: (subject, o = {}) => decide({...o, action: 'allow', subject}),
		deny: (error = 'access_denied', error_description) => decide({action: 'deny', error, error_description}),
		user: {find: host('user.find'), verifyPassword: host('user.verifyPassword')},
		totp: {enabled: host('totp.enabled'), check: host('totp.check')},
		otp: {send: host('otp.send'), check: host('otp.check')},
		secret: host('secret'),
		fetch: async (url, o = {}) => {
			const r = await request(url, {method: o.method, headers: o.headers, body: o.body});
			return {status: r.status, ok: true, type: r.type, text: async () => r.body, json: async () => parse(r.body)};
		},
		log: printer('info'),
	};
	const console = {};
	for (const level of ['log', 'info', 'warn', 'error', 'debug']) console[level] = printer(level);
	return {api, console, decision: (returned) => {
		if (returned === undefined || returned === decision) return decision === undefined ? undefined : stringify(decision);
		if (decision !== undefined) throw new Error('the handler returns another decision than it made');
		return stringify(returned);
	}};
})
