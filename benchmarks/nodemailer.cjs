// The same letters through nodemailer with a pool; called by sending.py with the file that holds its order.
const fs = require("node:fs");
const nodemailer = require("nodemailer");

const order = JSON.parse(fs.readFileSync(process.argv[2], "utf-8"));
fs.unlinkSync(process.argv[2]);
const transport = nodemailer.createTransport({
  host: "127.0.0.1",
  port: order.port,
  ignoreTLS: true,
  pool: true,
  maxConnections: order.connections,
  maxMessages: Infinity,
  ...(order.pem && { dkim: { domainName: order.domain, keySelector: "b", privateKey: order.pem } }),
});

function letter(number) {
  const values = {
    greeting: `Estimada señora Alcaldesa ${number}`,
    institution: "GAD Municipal",
    unsubscribe_url: `https://brief.quito.example/u/${number}-0123456789abcdef0123456789abcdef`,
    preferences_url: `https://brief.quito.example/p/${number}-0123456789abcdef0123456789abcdef`,
    web_url: "https://brief.quito.example/brief/2022-11/gads/es",
  };
  const fill = (text) => text.replace(/@@(\w+)@@/g, (_, slot) => values[slot]);
  return {
    from: order.sender,
    to: `Alcaldía <alcaldia${number}@canton.example>`,
    subject: order.subject,
    headers: { "List-Unsubscribe": `<${values.unsubscribe_url}>` },
    text: fill(order.text),
    html: fill(order.html),
    textEncoding: "quoted-printable",
  };
}

let next = 0;
async function work() {
  while (next < order.count) await transport.sendMail(letter(next++));
}
Promise.all(Array.from({ length: order.connections * 2 }, work)).then(() => transport.close());
