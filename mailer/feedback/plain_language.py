"""
Bounces without a machine-readable part: what qmail, Exim, old sendmails, Exchange, Domino, webmailers and gateways
write for people, in several languages.

Three questions, each answered from data: is it a bounce at all, where does the report end and the returned message
begin, and on which lines do the failed recipients stand.
"""

import re
from typing import Final

from mailer.feedback.addresses import ADDRESS, addresses_in, clean, is_machine, same
from mailer.feedback.finding import Finding, Kind, judge, softened
from mailer.feedback.mime import Part
from mailer.feedback.reason import plain

_SENDER = re.compile(
    r"mailer[-_. ]?daemon|postmaster|mail[ -]?delivery|delivery[ -]?(?:sub)?system|maildaemon|mdaemon|mail (?:system|administrator|router|agent)"
    r"|system administrator|administrador|(?:e-?mail|smtp) (?:gateway|server)|bounce|returned|mailsweeper|undeliver|no-?reply|amavis|imss|scanmail|mail\.?admin"
)
_SUBJECT = re.compile(
    r"undeliver|undelivr|non-?deliver|not deliver|returned (?:mail|message|to sender)|return(?:ing|ed) (?:message|mail)? ?to sender|bounce"
    r"|deliver\w{0,3} (?:status|fail|error|problem|report|notif|unsuccess|delay|has failed|incomplete|exception|impossible|attempt)|(?:mail|message|e-?mail|delivery) (?:delivery )?(?:failed|failure|error|status|system error|could not|was not|rejected|undeliver|delayed|not delivered)"
    r"|fail(?:ure|ed)? (?:notice|to deliver|delivery|mail|notification)|failure notice|could not (?:send|be (?:sent|delivered)|deliver)|cannot (?:send|deliver)|can't (?:send|deliver)|unable to deliver|unknown (?:user|recipient|address)|user unknown|no such (?:user|recipient)"
    r"|(?:invalid|bad) (?:recipient|address|user)|mailbox (?:full|unavailable|unknown|not found)|over quota|quota exceeded|warning: (?:could not|message|delivery)|delayed mail|delivery notification|status notification|nondeliverable|failed mail"
    r"|no (?:se )?(?:pudo|puede|ha podido|ha sido posible|fue posible) (?:ser )?(?:entreg|envi)|no entregad|devuelto|devolucion|rechazad|entrega (?:fallida|retrasada|incorrecta)|(?:error|fallo|falla|notificacion|problema|estado)\w{0,2} (?:de|en la|al) (?:la )?entrega"
    r"|nao (?:foi )?(?:entregue|possivel)|falha (?:na|de|ao)|devolvid|notificacao de (?:status|estado|falha)|echec|non remis|non distribu|impossible de (?:remettre|distribuer)|avis de non|notification d'etat|message non"
    r"|unzustellbar|nicht zugestellt|zustell(?:ung|fehler|bericht)|fehlgeschlagen|retourn|mancata consegna|impossibile (?:recapitare|consegnare)|niedoreczon|zwrot|недостав|не доставлен|ошибка доставки|配信|送信"
)
_BODY = re.compile(
    r"(?:could not|cannot|couldn't|can't|can not|not|wasn't|was not|were not|unable to|failed to|failure to|impossible to|to be|error) (?:be )?(?:deliver|sent|send|reach|relay|process)|undeliver|undelivr|unable to (?:deliver|send|relay)|delivery (?:to|of|has|failed|failure|status|error|attempt|for)"
    r"|(?:returned|bounced|rejected|refused|failed|returning)\b.{0,60}(?:mail|message|sender|recipient|deliver)|(?:message|mail|e-?mail|recipient|address)(?:s|\(s\)|\(es\))?\b.{0,80}(?:returned|bounced|rejected|failed|refused|undeliver|not reach|permanent|fatal)|user(?:'s)? .{0,40}(?:unknown|full|not|over)|mailbox .{0,40}(?:full|unknown|not|unavailable|over)|unknown user|user unknown|no such|quota|fatal error|permanent error|did not reach|is not (?:a )?(?:valid|known)|does not exist|5\d\d[ -]|not listed in"
    r"|no (?:se )?(?:pudo|puede|ha podido|ha sido|pudieron|fue) (?:\w{1,10} ){0,2}(?:entreg|envi)|entregad|no existe|lleno|cuota|rechazad|devuelto|nao (?:foi|pode|existe)|entregue|n'a (?:pas )?pu|pas ete (?:remis|distribue|delivre)|n'existe|zugestellt|zustell|unbekannt|dostarcz|consegn|доставлен"
)
_DELAYED = re.compile(
    r"warning message only|this is (?:just |only )?a warning|do not need to (?:re-?send|resend)|don't need to resend|no need to (?:re-?send)|need not (?:re-?send)|will (?:be retried|be re-?tried|continue|keep trying|try again|retry|attempt)|still (?:trying|being (?:retried|attempted)|in the queue|undelivered)|not yet been (?:able|delivered)|has(?:n't| not) (?:yet )?been (?:able to be )?(?:delivered|sent) (?:yet|to one or more)"
    r"|(?:delivery|message|mail) (?:is |has been |was )?(?:delayed|temporarily (?:deferred|delayed|failed|suspended))|delivery attempts will (?:continue|be)|(?:could not|couldn't|cannot) (?:yet )?be delivered (?:yet|within|for the last)|delayed (?:mail|delivery|message)"
    r"|no es necesario (?:que )?(?:re|volver|lo)|se seguira intentando|se volvera a intentar|se reintentara|(?:entrega|mensaje|correo) .{0,30}(?:retrasad|demorad|aplazad)|nao (?:e necessario|precisa) reenviar|continuar(?:a|emos) tentando|sera(?:o)? feitas? novas? tentativas|entrega .{0,20}atrasada|remise .{0,20}(?:retard|differ)|nouvelle tentative|pas necessaire de renvoyer|zustellung .{0,20}verzogert"
)
_GAVE_UP = re.compile(
    r"(?:given|gave|giving) up|will not (?:be )?(?:re-?tr|try)|no longer (?:be )?(?:tr|retri)|permanent(?:ly)? (?:error|fatal|fail)|has failed|delivery failed|failed permanently|returned to sender|final(?:ly)? fail|abandon|too long|expired|se agoto|definitiv"
)
_RETURNED_STARTS = re.compile(
    r"^[\s>|*=_#-]{0,10}(?:-{2,}.{0,20})?(?:this is a copy of (?:the|your) (?:message|mail)|(?:below (?:this line )?(?:is|are) |here is |following is |attached is )?(?:a |the )?(?:copy of |headers? of |first .{0,20}lines of |beginning of )?(?:the |your )?(?:original|returned|undelivered|unsent|rejected|failed|bounced|sent|your)\s(?:e-?mail |mail )?(?:message|mail|headers?|text)(?: (?:follows|headers?|was|below|begins|text|starts|follow|is|contents|attached))?"
    r"|(?:message|mail) (?:text|headers?|body|content|contents)\b(?: follows?)?|message (?:header|contents?)|unsent message|undelivered message|returned message|headers? (?:of (?:the )?(?:original|message)|follow)|copy of (?:the |your )?(?:original )?(?:message|mail)|original message|the (?:body|header|text) of (?:the|your) (?:original )?(?:message|mail)|--- (?:enclosed|below)|message follows"
    r"|mensaje (?:original|devuelto)|encabezados? (?:del mensaje )?original(?:es)?|mensagem original|message d'origine|en-tetes|ursprungliche nachricht|copia del mensaje|a copy of (?:the|your) (?:original )?message|received: (?:from|by|\()|return-path: )"
)
_FURTHER_LINES: Final = 30
_A = f"(?P<a>{ADDRESS})"
_ANCHORS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"^\s*[<\"'(\[]?{_A}[>\"')\]]{{0,2}}[ \t]*:",
        rf"^\s*(?:[-*•>]{{1,3}}\s*)?[<\"'(\[]{{0,2}}{_A}[>\"')\]]{{0,2}}[.,;]?\s*$",
        rf"^\s*[<\"'(\[]?{_A}[>\"')\]]?\s{{0,5}}(?:\.\.\.|--?\s|\.\.)",
        rf"^\s*[<\"'(\[]?{_A}[>\"')\]]?\s{{1,5}}(?:on \d|\(|\[|has |is |was |does |[45]\d\d )",
        rf"^\s*\(?(?:generated from|expanded from:?|original(?:ly)? (?:address|recipient)|ultimately generated from)\s{{0,5}}[<\"']?{_A}",
    )
)
_KEYED: Final = re.compile(
    r"(?:rcpt to|error-for|failed recipients?|recipients?(?: address)?|addressee|addresses?|users?|user name|mailbox|destinatari[oa]s?|usuario|buzon|buzón|intended for|intended recipient|to|for|userid|invalid final delivery userid|para|direcci[oó]n|mail to|message to|empf[aä]nger|destinataire|adresse|account|reach|deliver to|[45]\d\d|[45]\.\d\.\d{1,2})"
    rf"(?:\(s\)|\(es\))?\s{{0,5}}[:=]?\s{{0,5}}[<\"'(\[]{{0,3}}(?:smtp:|rfc822;\s{{0,3}}|mailto:)?{_A}",
    re.IGNORECASE,
)


def is_bounce(mail: Part, words: str) -> bool:
    """Whether a mail without a machine-readable part gives itself out as a bounce: by its sender, subject and words."""
    if mail.header("x-failed-recipients"):
        return True
    sender = plain(mail.header("from") + " " + mail.header("sender"))
    by_sender = bool(_SENDER.search(sender)) or mail.header("return-path").strip() == "<>" or not sender.strip()
    by_subject = bool(_SUBJECT.search(plain(mail.header("subject"))))
    by_body = bool(_BODY.search(plain(words)))
    return (by_sender and (by_subject or by_body)) or (by_subject and by_body)


def is_delay(mail: Part, words: str) -> bool:
    """Whether the mail only warns that it takes longer."""
    text = plain(words)
    subject = plain(mail.header("subject"))
    if not (_DELAYED.search(text) or re.search(r"delay|warning:|retras|demora|atras", subject)):
        return False
    return not _GAVE_UP.search(text) or bool(re.search(r"delay|warning:|retras", subject))


def report_of(text: str) -> tuple[str, str]:
    """
    A text in its report and the message that it returns.

    >>> report_of("Sorry, no mailbox here.\\n--- Below this line is a copy of the message.\\nTo: ana@gad.example")[0]
    'Sorry, no mailbox here.'
    """
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if index and line.strip() and _RETURNED_STARTS.match(plain(line[:200])):
            return "\n".join(lines[:index]), "\n".join(lines[index:])
    return text, ""


def read_plain(mail: Part, words: str, originals: list[str]) -> tuple[Kind, list[Finding]] | None:
    """
    What a bounce for people says, or nothing if the mail is none.

    `words` is its text without the returned message; `originals` are the recipients that the returned message names.
    """
    if not is_bounce(mail, words):
        return None
    named = _failed(mail, words, originals)
    if not named:
        return None
    delay = is_delay(mail, words)
    found = [judge(address, diagnosis=_about(words, address, named), context=words) for address in named]
    return (Kind.DELAY, [softened(finding) for finding in found]) if delay else (Kind.BOUNCE, found)


def _failed(mail: Part, words: str, originals: list[str]) -> list[str]:
    if listed := [address for value in mail.all("x-failed-recipients") for address in addresses_in(value)]:
        return listed
    own = [clean(mail.header(name)) for name in ("from", "to", "return-path", "sender", "reply-to", "delivered-to")]
    anchored = [address for line in words.splitlines() for address in _anchored(line[:500])]
    anchored = [address for address in dict.fromkeys(anchored) if not is_machine(address)]
    if foreign := [address for address in anchored if not same(address, own)]:
        return foreign
    keyed = [clean(match["a"]) for match in _KEYED.finditer(words)]
    for candidates in (keyed, addresses_in(words)):
        named = [address for address in dict.fromkeys(candidates) if address and not is_machine(address)]
        if to_original := [address for address in named if same(address, originals)]:
            return to_original
        if foreign := [address for address in named if not same(address, own)]:
            return foreign[:1] if candidates is not keyed else foreign
    return anchored[:1] or (originals if len(originals) == 1 else [])


def _anchored(line: str) -> list[str]:
    for anchor in _ANCHORS:
        if match := anchor.match(line):
            address = clean(match["a"])
            return [address] if address else []
    return []


def _about(words: str, address: str, named: list[str]) -> str:
    """The lines on one recipient: from where it is named to the next recipient, and each later line that names it."""
    lines = words.splitlines()
    others = [other.lower() for other in named if other != address]
    wanted = address.lower()
    about: list[str] = []
    following = 0
    for line in lines:
        lowered = line.lower()
        if wanted in lowered:
            following = _FURTHER_LINES
        elif any(other in lowered for other in others):
            following = 0
        if following and len(about) < 4 * _FURTHER_LINES:
            about.append(line)
            following -= 1
    return "\n".join(about)
