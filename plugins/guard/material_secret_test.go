package guard

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/scanner"
)

// tokenFixtures puts credentials of all services into several places each.
func tokenFixtures(t *testing.T) []fixture {
	t.Helper()
	d := newDice(1)
	contexts := materialLines(t, "secrets/contexts.txt")
	var all []fixture
	for _, line := range materialLines(t, "secrets/providers.txt") {
		name, form, _ := strings.Cut(line, " ")
		for range 3 {
			n := d.IntN(len(contexts))
			secret := d.example(form)
			if strings.Contains(contexts[n], "{\\\"") {
				secret = strings.ReplaceAll(secret, `"`, "")
			}
			text := strings.NewReplacer("SECRET", "\x00", "NAME", strings.ToUpper(name), "Name", title(name), "name", name).Replace(contexts[n])
			// Names like NAME_SECRET_KEY lose theirs above.
			for strings.Count(text, "\x00") > 1 {
				text = strings.Replace(text, "\x00", "SECRET", 1)
			}
			text = strings.Replace(text, "\x00", secret, 1)
			all = append(all, fixture{fmt.Sprintf("%s in context %d", name, n), text})
		}
	}
	return all
}

// passwords are of the kinds that people and generators choose.
func (d dice) password() string {
	switch d.IntN(5) {
	case 0:
		return d.example(`[A-Z][a-z]{4,7}[0-9]{2,4}[!#%*]`)
	case 1:
		return d.example(`[A-Za-z0-9]{12,20}`)
	case 2:
		return d.example(`[A-Za-z][A-Za-z0-9!#^*_+~.-]{10,18}[0-9!]`)
	case 3:
		return d.example(`[a-z]{4,6}-[a-z]{4,6}-[0-9]{2}`)
	default:
		return d.example(`[a-z]{5,8}[0-9]{2,4}`)
	}
}

// passwordContexts are places of passwords; PW is the password.
var passwordContexts = []string{
	"DB_PASSWORD=PW", "MYSQL_ROOT_PASSWORD: PW", `"password": "PW",`, "password = 'PW'", "spring.datasource.password=PW",
	"[client]\nuser=app\npassword=PW\n", "Server=tcp:db.corp.test,1433;Database=shop;User ID=app;Password=PW;Encrypt=true;",
	"Data Source=db;Initial Catalog=x;User Id=sa;Pwd=PW;", "postgres://app:PW@db.corp.test:5432/shop?sslmode=require",
	"mysql://root:PW@10.1.2.3/app", "mongodb+srv://svc:PW@cluster0.ab1cd.mongodb.test/prod", "redis://:PW@cache.corp.test:6379/0",
	"amqp://worker:PW@mq.corp.test//", "https://deploy:PW@git.corp.test/team/app.git", "ftp://backup:PW@files.corp.test/",
	"jdbc:mysql://db/app?user=root&password=PW", "jdbc:oracle:thin:scott/PW@//db.corp.test:1521/ORCL",
	"host=db.corp.test port=5432 dbname=shop user=app password=PW", "smtp://mailer:PW@smtp.corp.test:587",
	"curl -u admin:PW https://ci.corp.test/job/build", "curl --user 'svc:PW' -X POST https://ci.corp.test/", "mysql -h db -u root -pPW shop",
	"sshpass -p 'PW' ssh root@10.0.0.4", "PGPASSWORD=PW psql -h db -U app", "wget --password=PW https://files.corp.test/x",
	"<password>PW</password>", `<connectionString value="Server=db;uid=app;pwd=PW;database=x" />`, `<add name="x" connectionString="Data Source=db;User ID=app;Password=PW" />`,
	"machine files.corp.test login deploy password PW", "ansible_ssh_pass: PW", "ansible_become_password=PW", `admin_password = "PW"`,
	"user: admin\npass: PW", "username: admin\npasswd: PW", "login: root / password: PW", "The admin password is \"PW\".", "Password: PW",
	"ldap_bind_pw: PW", "LDAP_BIND_PASSWORD='PW'", "smtp_pass=PW", "REDIS_AUTH=PW", "requirepass PW", "keystore.password=PW",
	"signing.storePassword=PW", "props.setProperty(\"db.password\", \"PW\");", `DriverManager.getConnection(url, "app", "PW")`,
	"conn = psycopg2.connect(host='db', user='app', password='PW')", "$db_pass = 'PW';", "define('DB_PASSWORD', 'PW');",
	"identified by 'PW'", "CREATE USER app WITH PASSWORD 'PW';", "ALTER USER root IDENTIFIED BY 'PW';", "GRANT ALL ON *.* TO 'x'@'%' IDENTIFIED BY 'PW'",
	"net use Z: \\\\files\\share /user:CORP\\svc PW", "echo 'root:PW' | chpasswd", "htpasswd -b .htpasswd admin PW",
	"docker login -u ci -p PW registry.corp.test", "helm install x --set auth.password=PW", "openssl pkcs12 -in k.p12 -passin pass:PW",
	"gpg --batch --passphrase PW -d f.gpg", "rsync://u:PW@files.corp.test/mod", "WIFI_PASSPHRASE=\"PW\"", "psk=\"PW\"", "wpa_passphrase=PW",
	"proxy=http://user:PW@proxy.corp.test:3128", "ConvertTo-SecureString 'PW' -AsPlainText -Force", "export SUDO_PASS=PW",
	`{"username":"admin","password":"PW"}`, `{\"user\":\"x\",\"password\":\"PW\"}`, "db:\n  user: app\n  password: \"PW\"\n", "| admin | password | PW |",
	"user=app;password=PW;", "--db-password PW", "-Dhttp.proxyPassword=PW", "snmp-server community PW RO", "enable secret 0 PW",
}

func passwordFixtures() []fixture {
	d := newDice(2)
	var all []fixture
	for i, c := range passwordContexts {
		for range 3 {
			all = append(all, fixture{fmt.Sprintf("password in context %d", i), strings.Replace(c, "PW", d.password(), 1)})
		}
	}
	return all
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// pem returns an armoured key of some kind.
func (d dice) pem(kind string, lines int) string {
	var b strings.Builder
	b.WriteString("-----BEGIN " + kind + "-----\n")
	for range lines {
		b.WriteString(d.from(base64Alphabet, 64) + "\n")
	}
	b.WriteString("-----END " + kind + "-----\n")
	return b.String()
}

func (d dice) jwt(header string) string {
	claims := fmt.Sprintf(`{"sub":%q,"iat":17%s}`, d.digits(10), d.digits(8))
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(claims)) + "."
}

// otherSecretFixtures are credentials with a structure of their own.
func otherSecretFixtures() []fixture {
	d := newDice(3)
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	var all []fixture
	add := func(kind, text string) { all = append(all, fixture{kind, text}) }
	for _, kind := range []string{
		"RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY",
		"PGP PRIVATE KEY BLOCK", "SSH2 ENCRYPTED PRIVATE KEY",
	} {
		key := d.pem(kind, 8)
		add("pem "+kind, key)
		add("pem in JSON "+kind, `{"key": "`+strings.ReplaceAll(key, "\n", `\n`)+`"}`)
		add("pem cut "+kind, key[:150])
		add("pem in yaml "+kind, "tls:\n  key: |\n    "+strings.ReplaceAll(key, "\n", "\n    "))
	}
	for _, alg := range []string{"HS256", "RS256", "ES256", "none", "EdDSA"} {
		token := d.jwt(`{"alg":"` + alg + `","typ":"JWT"}`)
		if alg != "none" {
			token += d.from(base64Alphabet[:62]+"-_", 43)
		}
		add("jwt "+alg, "session: "+token)
		add("jwt short header "+alg, "Authorization: Bearer "+d.jwt(`{"alg":"`+alg+`"}`)+d.from(base64Alphabet[:62], 43))
		add("jwt alone "+alg, token)
	}
	key := d.from(base64Alphabet, 86) + "=="
	add("azure connection", "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey="+key+";EndpointSuffix=core.windows.net")
	add("azure bus", "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey="+d.from(base64Alphabet, 43)+"=")
	add("azure iot", "HostName=shop.azure-devices.net;DeviceId=d1;SharedAccessKey="+d.from(base64Alphabet, 43)+"=")
	add("azure cosmos", "AccountEndpoint=https://x.documents.azure.com:443/;AccountKey="+key)
	add("azure sas", "https://shop.blob.core.windows.net/c/f?sv=2023-11-03&ss=b&srt=co&sp=rl&se=2027-01-01T00:00:00Z&sig="+d.from(base64Alphabet[:62], 43)+"%3D")
	add("aws presigned", "https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="+d.example("AKIA[A-Z2-7]{16}")+"%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature="+d.from("0123456789abcdef", 64))
	add("aws pair", "[default]\naws_access_key_id = "+d.example("AKIA[A-Z2-7]{16}")+"\naws_secret_access_key = "+d.from(base64Alphabet, 40))
	add("aws pair short", d.example("AKIA[A-Z2-7]{16}")+","+d.from(base64Alphabet, 40))
	add("aws session", "AWS_SESSION_TOKEN="+d.from(base64Alphabet, 300))
	add("gcp account", `{"type": "service_account", "project_id": "p", "private_key_id": "`+d.from("0123456789abcdef", 40)+`", "private_key": "-----BEGIN PRIVATE KEY-----\nMII`+d.from(base64Alphabet, 500)+`\n-----END PRIVATE KEY-----\n"}`)
	add("docker config", `{"auths": {"registry.corp.test": {"auth": "`+b64("ci:"+d.from(base64Alphabet[:62], 14))+`"}}}`)
	add("k8s secret", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ntype: Opaque\ndata:\n  password: "+b64(d.password()+d.password()))
	add("k8s string", "kind: Secret\nstringData:\n  token: "+d.from(base64Alphabet[:62], 24))
	add("kubeconfig", "users:\n- name: admin\n  user:\n    client-key-data: "+b64(d.pem("RSA PRIVATE KEY", 4)))
	add("basic header", "Authorization: Basic "+b64("admin:"+d.password()))
	add("proxy header", "Proxy-Authorization: Basic "+b64("svc:"+d.password()))
	add("npmrc auth", "//npm.corp.test/:_auth="+b64("ci:"+d.password()))
	add("npmrc password", "//npm.corp.test/:_password="+b64(d.password()))
	add("slack webhook", "https://hooks.slack.com/services/T"+d.from("0123456789ABCDEF", 10)+"/B"+d.from("0123456789ABCDEF", 10)+"/"+d.from(base64Alphabet[:62], 24))
	add("discord webhook", "https://discord.com/api/webhooks/"+d.digits(18)+"/"+d.from(base64Alphabet[:62]+"-_", 68))
	add("teams webhook", d.example(`https://corp\.webhook\.office\.com/webhookb2/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}@[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`))
	add("telegram url", "https://api.telegram.org/bot"+d.digits(10)+":AA"+d.from(base64Alphabet[:62]+"-_", 33)+"/getMe")
	add("zapier hook", "https://hooks.zapier.com/hooks/catch/"+d.digits(7)+"/"+d.from("abcdefghij0123456789", 7)+"/")
	add("google chat hook", "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=k1&token="+d.from(base64Alphabet[:62]+"-_", 43)+"%3D")
	add("pagerduty hook", "https://events.pagerduty.com/integration/"+d.from("0123456789abcdef", 32)+"/enqueue")
	add("sentry dsn", "https://"+d.from("0123456789abcdef", 32)+":"+d.from("0123456789abcdef", 32)+"@o1.ingest.sentry.io/42")
	add("cloudinary", "CLOUDINARY_URL=cloudinary://"+d.digits(15)+":"+d.from(base64Alphabet[:62]+"-_", 27)+"@demo")
	add("wireguard", "[Interface]\nPrivateKey = "+d.from(base64Alphabet, 43)+"=\nAddress = 10.0.0.2/32")
	add("shadow", "root:$6$"+d.from(base64Alphabet[:62], 16)+"$"+d.from(base64Alphabet[:62]+"./", 86)+":19000:0:99999:7:::")
	add("htpasswd", "admin:$apr1$"+d.from(base64Alphabet[:62], 8)+"$"+d.from(base64Alphabet[:62]+"./", 22))
	add("bcrypt", "password_hash: $2b$12$"+d.from(base64Alphabet[:62]+"./", 53))
	add("cookie", "Cookie: theme=dark; sessionid="+d.from("abcdefghijklmnopqrstuvwxyz0123456789", 32)+"; lang=de")
	add("set-cookie", "set-cookie: connect.sid=s%3A"+d.from(base64Alphabet[:62]+"-_", 32)+"."+d.from(base64Alphabet[:62], 43)+"; Path=/; HttpOnly")
	add("ssh putty", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: k\nPublic-Lines: 2\n")
	add("bip39", "seed phrase: legal winner thank year wave sausage worth useful legal winner thank yellow")
	add("bitcoin wif", "wallet private key 5"+"HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ")
	add("eth key", "ETH_PRIVATE_KEY=0x"+d.from("0123456789abcdef", 64))
	add("django", "SECRET_KEY = 'django-insecure-"+d.from("abcdefghijklmnopqrstuvwxyz0123456789$%^&*(-_=+)", 50)+"'")
	add("rails", "secret_key_base: "+d.from("0123456789abcdef", 128))
	add("laravel", "APP_KEY=base64:"+d.from(base64Alphabet, 43)+"=")
	add("jwt secret", "JWT_SECRET="+d.from(base64Alphabet[:62], 32))
	add("totp", "otpauth://totp/Corp:ann@corp.test?secret="+d.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32)+"&issuer=Corp")
	add("nuget config", `<add key="ClearTextPassword" value="`+d.password()+`x1" />`)
	add("maven settings", "<server>\n  <id>central</id>\n  <username>ci</username>\n  <password>"+d.password()+"x1</password>\n</server>")
	add("firebase", `apiKey: "AIza`+d.from(base64Alphabet[:62], 35)+`",`)
	add("terraform", "provider \"aws\" {\n  access_key = \""+d.example("AKIA[A-Z2-7]{16}")+"\"\n  secret_key = \""+d.from(base64Alphabet, 40)+"\"\n}")
	add("github actions", "        GITHUB_TOKEN: "+d.example("ghp_[A-Za-z0-9]{36}"))
	add("git remote", "origin\thttps://x-access-token:"+d.example("ghs_[A-Za-z0-9]{36}")+"@github.com/corp/app.git (fetch)")
	add("low entropy", "glpat-"+strings.Repeat("A", 20))
	add("low entropy github", "token ghp_"+strings.Repeat("a1", 18))
	add("low entropy google", "AIzaSy"+strings.Repeat("B7", 16)+"c")
	return all
}

func TestSecretsAreFound(t *testing.T) {
	t.Run("tokens", func(t *testing.T) { detection(t, tokenFixtures(t), 0.85, "secret.") })
	t.Run("passwords", func(t *testing.T) { detection(t, passwordFixtures(), 0.85, "secret.") })
	t.Run("others", func(t *testing.T) { detection(t, otherSecretFixtures(), 0.85, "secret.") })
}

// TestTokenRules makes a token of each of our own forms and requires that the
// rule finds it, and neither its beginning nor a filler of the same form.
func TestTokenRules(t *testing.T) {
	d := newDice(6)
	e := testEngine(t)
	for i := range e.secrets.Rules {
		r := &e.secrets.Rules[i]
		if !r.own {
			continue
		}
		finds := func(text string) bool {
			s := scanWith(t, &settings{maxBytes: defaultMaxBytes}, scanner.PhaseResponse, roleText, text)
			return s.has(r.name)
		}
		token := d.example(strings.TrimSuffix(r.Regex, `\b`))
		if !finds("the value " + token + " is kept") {
			t.Errorf("%s misses %q", r.name, token)
		}
		if cut := token[:min(len(token)/2, 12)]; finds("the value " + cut + " is kept") {
			t.Errorf("%s finds %q", r.name, cut)
		}
		if title, reason := Explain(r.name); title == "" || reason == "" {
			t.Errorf("%s has no explanation", r.name)
		}
	}
}
