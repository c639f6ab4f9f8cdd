// One key pair as `cosign generate-key-pair` writes it, for tests alone. Made by Python's hashlib (scrypt) and PyNaCl
// (libsodium's secretbox), which share no code with what reads it here.

/** Of the newer form, with scrypt's N at 65536. */
export const sigstoreKey = {
  password: 'correct horse',
  pem: `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
OCwicCI6MX0sInNhbHQiOiJ1U0RoLzBrdS9UeGtRRzhialc1dWM1WmNibFVlTU90
OFRaZVpLZklWR2V3PSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiJqUEtjVzB1TUVmdDBrWDg0eFkxbm5OSlFUOEQwajdsRCJ9LCJj
aXBoZXJ0ZXh0IjoiRXZkdmg0ejJkOFFlUlVpMUFiRWJweUM2OHMraXJPMWxZakh6
cFJkbzY2OXh2aHRidGNQZDRtcWF2b20vdHpVU2RQNE40YUQ3VjRQSjYraURtVFFP
bVNHS1RWWUZObVpFTmJoaEVqQ0ZndFlEOWx4U3dtdFdray9ETlljVGpzY0thTjJu
QVE4bkJNQ0lhcjlrT09vVGlXYnh6WHYyWi93OFU5bFF3Uk1oa0lRbUVsZmpTVTVV
WmdHeU9ab3VnSnRsem5tWWlnQW1hV3h4aWc9PSJ9
-----END ENCRYPTED SIGSTORE PRIVATE KEY-----
`,
};

/** Of the older form, with N at 32768, without a password. */
export const cosignKey = {
  password: '',
  pem: `-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjozMjc2OCwiciI6
OCwicCI6MX0sInNhbHQiOiIxYi9idWI4ZzJTT3hpbWhQc01wL0JPdE8wbUswVUQ4
dnRtQ3F0eGhhYjNrPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiJ4QWZmU1JScnZJKzhaWlo4ZnNLL0xSb2FyZE4zekdLQSJ9LCJj
aXBoZXJ0ZXh0Ijoid09oc1VxT0Z2OC9YdnlzVVpyZkkvUHBEdXdYL2Z4RXlOK3dP
ZHRnbDJQOGFJdVBwQy9KNWNOY3o1TVE2ck02WjlHYkl2R0JXTWFZTUhWN2dOR3cy
bGN5RlNWMlR3QTJ5WFcyK2paSDdBZ0tpb05wa3BiQnFjcG1LZWxCUHdjSXBURUha
a2RTcklVRVdPSk1EbHQvZUx1ZndPdms4MHBseGNaRWZBYXlja0prSEIvS0FkUk1K
Z29lNmxTaWZ4YklLWXRpb3hvWUFkYmJBcUE9PSJ9
-----END ENCRYPTED COSIGN PRIVATE KEY-----
`,
};

/** The public half of both. */
export const cosignPublicKey = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZhv/JPz8+wp96rKtgFCGXkxM2nh5
7A9QayuhMutnkn9b4H/sw6IbQbPvyjz21GLHB0ZKl3ndUiI84ymgpKWiXA==
-----END PUBLIC KEY-----
`;
