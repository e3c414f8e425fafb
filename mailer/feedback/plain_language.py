"""
Bounces without a machine-readable part: what qmail, Exim, old sendmails, Exchange, Domino, webmailers and gateways
write for people, in several languages.

Three questions, each answered from data: is it a bounce at all, where does the report end and the returned message
begin, and on which lines do the failed recipients stand.
"""

import re
from typing import Final

from mailer.feedback.addresses import ADDRESS, addresses_in, clean, is_machine, same
from mailer.feedback.finding import Finding, Kind, about_each, judge, softened
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
    r"|(?:returned|bounced|rejected|refused|failed|returning)\b.{0,60}(?:mail|message|sender|recipient|deliver)|(?:message|mail|e-?mail|recipient|address)(?:s|\(s\)|\(es\))?\b.{0,80}(?:returned|bounced|rejected|failed|refused|undeliver|not reach|permanent|fatal)|user(?:'s)? .{0,40}(?:unknown|full|not|over)|mailbox .{0,40}(?:full|unknown|not|unavailable|over)|unknown user|user unknown|no such|quota|fatal error|permanent error|did not reach|not (?:a )?(?:valid|known)|does not exist|5\d\d[ -]|not listed in"
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
    r"|mensaje (?:original|devuelto)|encabezados? (?:del mensaje )?original(?:es)?|mensagem original|message d'origine|en-tetes|ursprungliche nachricht|copia del mensaje|a copy of (?:the|your) (?:original )?message|received: ?(?:from|by|\()|return-path: )"
)
_MAX_RECIPIENTS: Final = 200
_A = f"(?P<a>{ADDRESS})"
_ANCHORS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"^\s*(?:[-*•>]{{1,3}}\s*)?[<\"'(\[]?{_A}[>\"')\]]{{0,2}}[ \t]*:",
        rf"^\s*(?:[-*•>]{{1,3}}\s*)?[<\"'(\[]{{0,2}}{_A}[>\"')\]]{{0,2}}[.,;]?\s*$",
        rf"^\s*[<\"'(\[]?{_A}[>\"')\]]?\s{{0,5}}(?:\.\.\.|--?\s|\.\.)",
        rf"^\s*[<\"'(\[]?{_A}[>\"')\]]?\s{{1,5}}(?:on \d|\(|\[|has |is |was |does |[45]\d\d )",
        rf"^\s*c=[^@\s]{{0,200}}\s?[^@\s]{{0,200}};dda:smtp={_A}",
    )
)
# Where we wrote to, when the report names first where that was forwarded.
_FORWARDED: Final = re.compile(
    rf"(?:(?:ultimately )?generated from|expanded from:?|original(?: recipient)? address:?|originally addressed to)\s{{0,5}}[<\"']?{_A}",
    re.IGNORECASE,
)
_QUOTED_FIELD: Final = re.compile(r"\s{0,10}[*-]?\s{0,3}(?:to|cc|subject|sent|from|date|message-id|received on)\s?:", re.IGNORECASE)
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
    by_sender = bool(_SENDER.search(sender)) or mail.header("return-path").strip() == "<>" or "@" not in sender
    by_subject = bool(_SUBJECT.search(plain(mail.header("subject"))))
    by_body = bool(_BODY.search(plain(words)))
    by_machine = is_machine(clean(mail.header("from"))) and bool(_anchored_in(words))
    return by_machine or (by_sender and (by_subject or by_body)) or (by_subject and by_body)


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


def read_plain(mail: Part, words: str) -> tuple[Kind, list[Finding]] | None:
    """
    What a bounce for people says of the recipients that stand at its lines' beginnings, or nothing.

    `words` is its text without the returned message.
    """
    if not is_bounce(mail, words):
        return None
    if listed := [address for value in mail.all("x-failed-recipients") for address in addresses_in(value)]:
        return told(mail, words, listed)
    anchored = _anchored_in(without_quoted_fields(words))
    return told(mail, words, [address for address in anchored if not same(address, _own(mail))])


def read_loosely(mail: Part, words: str, originals: list[str]) -> tuple[Kind, list[Finding]] | None:
    """
    What a bounce says whose form nobody knows: addresses behind a key word, any address, whom the message went to.

    `originals` are the recipients that the returned message names.
    """
    if not is_bounce(mail, words):
        return None
    quoted = without_quoted_fields(words)
    own = _own(mail)
    keyed = [clean(match["a"]) for match in _KEYED.finditer(quoted)]
    for candidates, most in ((keyed, len(keyed)), (addresses_in(quoted), 1)):
        named = [address for address in dict.fromkeys(candidates) if address and not is_machine(address)]
        if to_original := [address for address in named if same(address, originals)]:
            return told(mail, words, to_original)
        if foreign := [address for address in named if not same(address, own)]:
            return told(mail, words, foreign[:most])
    return told(mail, words, _anchored_in(quoted)[:1] or (originals if len(originals) == 1 else []))


def _own(mail: Part) -> list[str]:
    return [clean(mail.header(name)) for name in ("from", "to", "return-path", "sender", "reply-to", "delivered-to")]


def told(mail: Part, words: str, named: list[str]) -> tuple[Kind, list[Finding]] | None:
    """What the report tells of each of the recipients that were found in it, or nothing if there are none."""
    if not named:
        return None
    told_of = about_each(words, named[:_MAX_RECIPIENTS])
    found = [judge(address, diagnosis=diagnosis, context=(words,)) for address, diagnosis in told_of.items()]
    if is_delay(mail, words):
        return Kind.DELAY, [softened(finding) for finding in found]
    return Kind.BOUNCE, found


def without_quoted_fields(words: str) -> str:
    """
    The report without the header fields of ours that it quotes ("Your message / To: … / Subject: …").

    >>> without_quoted_fields("Your message\\n  To: all@lists.example\\n  Subject: Virus\\nfailed")
    'Your message\\nfailed'
    """
    lines = words.splitlines()
    quoted = [bool(_QUOTED_FIELD.match(line)) for line in lines]
    near = [any(quoted[max(index - 1, 0) : index]) or any(quoted[index + 1 : index + 2]) for index in range(len(lines))]
    return "\n".join(line for line, field, in_block in zip(lines, quoted, near, strict=True) if not (field and in_block))


def _anchored_in(words: str) -> list[str]:
    """The addresses that stand at the beginnings of lines; where a line says what it was forwarded from, that one."""
    found: list[str] = []
    for line in words.splitlines():
        if forwarded := _FORWARDED.search(line[:500]):
            origin = clean(forwarded["a"])
            if found and not any(anchor.match(line[:500]) for anchor in _ANCHORS):
                found[-1] = origin
                continue
            found.append(origin)
            continue
        match = next((match for anchor in _ANCHORS if (match := anchor.match(line[:500]))), None)
        if match and (address := clean(match["a"])) and not is_machine(address):
            found.append(address)
    return list(dict.fromkeys(found))
