package oauth

// DeviceCode is the grant type of devices that have no browser (RFC 8628 §3.4).
const DeviceCode = "urn:ietf:params:oauth:grant-type:device_code"
