"""camt.053 written by hand in two versions: what banks send, and what no bank sends."""

from __future__ import annotations

from datetime import date

import pytest
from moneyed import Money

from shop.reconciliation.readers import camt053, errors, tables

V02 = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">
 <BkToCstmrStmt>
  <GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-01-09T06:00:00</CreDtTm></GrpHdr>
  <Stmt>
   <Id>S7</Id><ElctrncSeqNb>7</ElctrncSeqNb><CreDtTm>2026-01-09T06:00:00</CreDtTm>
   <FrToDt><FrDtTm>2026-01-05T00:00:00</FrDtTm><ToDtTm>2026-01-08T23:59:59</ToDtTm></FrToDt>
   <Acct><Id><Othr><Id>310810101402900442310133</Id></Othr></Id><Ccy>MAD</Ccy></Acct>
   <Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="MAD">1000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-01-05</Dt></Dt></Bal>
   <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="MAD">1138.40</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-01-08</Dt></Dt></Bal>
   <Ntry>
    <Amt Ccy="MAD">970.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
    <BookgDt><Dt>2026-01-05</Dt></BookgDt><ValDt><Dt>2026-01-06</Dt></ValDt><AcctSvcrRef>BK0001</AcctSvcrRef>
    <NtryDtls><TxDtls>
     <Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>
     <RltdPties><Dbtr><Nm>Amana</Nm></Dbtr><DbtrAcct><Id><IBAN>MA64011519000001205000534921</IBAN></Id></DbtrAcct></RltdPties>
     <RmtInf><Ustrd>REMISE REM-1</Ustrd><Ustrd>1 COLIS</Ustrd></RmtInf>
    </TxDtls></NtryDtls>
   </Ntry>
   <Ntry>
    <Amt Ccy="MAD">836.60</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>
    <BookgDt><Dt>2026-01-06</Dt></BookgDt><AcctSvcrRef>BK0002</AcctSvcrRef>
    <NtryDtls>
     <TxDtls>
      <Refs><EndToEndId>P-1</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy="MAD">534.00</Amt></TxAmt></AmtDtls>
      <RltdPties><Cdtr><Nm>تعاونية أ</Nm></Cdtr><CdtrAcct><Id><Othr><Id>999780000000000000000105</Id></Othr></Id></CdtrAcct></RltdPties>
     </TxDtls>
     <TxDtls>
      <Refs><EndToEndId>P-2</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy="MAD">302.60</Amt></TxAmt></AmtDtls>
     </TxDtls>
    </NtryDtls>
   </Ntry>
   <Ntry>
    <Amt Ccy="MAD">534.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><RvslInd>true</RvslInd><Sts>BOOK</Sts>
    <BookgDt><DtTm>2026-01-07T09:30:00+01:00</DtTm></BookgDt><AcctSvcrRef>BK0003</AcctSvcrRef>
    <NtryDtls><TxDtls>
     <Refs><EndToEndId>P-1</EndToEndId></Refs>
     <RltdPties><Dbtr><Nm>Tadamon</Nm></Dbtr><Cdtr><Nm>تعاونية أ</Nm></Cdtr></RltdPties>
    </TxDtls></NtryDtls>
    <AddtlNtryInf>RETOUR AC04</AddtlNtryInf>
   </Ntry>
   <Ntry>
    <Amt Ccy="MAD">529.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-01-08</Dt></BookgDt>
    <AddtlNtryInf>DIVERS</AddtlNtryInf>
   </Ntry>
   <Ntry>
    <Amt Ccy="MAD">99.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>PDNG</Sts><BookgDt><Dt>2026-01-08</Dt></BookgDt>
   </Ntry>
  </Stmt>
 </BkToCstmrStmt>
</Document>
"""

V08 = """<?xml version="1.0" encoding="UTF-8"?>
<c:Document xmlns:c="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
 <c:BkToCstmrStmt>
  <c:GrpHdr><c:MsgId>M2</c:MsgId><c:CreDtTm>2026-02-01T06:00:00Z</c:CreDtTm></c:GrpHdr>
  <c:Stmt>
   <c:Id>S1</c:Id><c:LglSeqNb>12</c:LglSeqNb>
   <c:Acct><c:Id><c:IBAN>MA64011519000001205000534921</c:IBAN></c:Id></c:Acct>
   <c:Bal><c:Tp><c:CdOrPrtry><c:Cd>PRCD</c:Cd></c:CdOrPrtry></c:Tp><c:Amt Ccy="EUR">10.00</c:Amt><c:CdtDbtInd>DBIT</c:CdtDbtInd><c:Dt><c:Dt>2026-01-30</c:Dt></c:Dt></c:Bal>
   <c:Bal><c:Tp><c:CdOrPrtry><c:Cd>CLBD</c:Cd></c:CdOrPrtry></c:Tp><c:Amt Ccy="EUR">79.24</c:Amt><c:CdtDbtInd>CRDT</c:CdtDbtInd><c:Dt><c:Dt>2026-01-31</c:Dt></c:Dt></c:Bal>
   <c:TxsSummry><c:TtlNtries><c:NbOfNtries>1</c:NbOfNtries></c:TtlNtries></c:TxsSummry>
   <c:Ntry>
    <c:Amt Ccy="EUR">89.24</c:Amt><c:CdtDbtInd>CRDT</c:CdtDbtInd><c:Sts><c:Cd>BOOK</c:Cd></c:Sts>
    <c:BookgDt><c:Dt>2026-01-31</c:Dt></c:BookgDt><c:AcctSvcrRef>BK9</c:AcctSvcrRef>
    <c:NtryDtls><c:TxDtls>
     <c:Refs><c:EndToEndId>po_1</c:EndToEndId></c:Refs><c:Amt Ccy="EUR">89.24</c:Amt>
     <c:RltdPties>
      <c:Dbtr><c:Pty><c:Nm>STRIPE</c:Nm></c:Pty></c:Dbtr>
      <c:DbtrAcct><c:Id><c:IBAN>IE29AIBK93115212345678</c:IBAN></c:Id></c:DbtrAcct>
     </c:RltdPties>
     <c:RmtInf><c:Ustrd>STRIPE TRACE42</c:Ustrd></c:RmtInf>
    </c:TxDtls></c:NtryDtls>
   </c:Ntry>
  </c:Stmt>
 </c:BkToCstmrStmt>
</c:Document>
"""


def test_version_02_is_read_line_by_line():
    statement = camt053.read(V02.encode())

    assert statement.account == "310810101402900442310133"
    assert (statement.opening, statement.closing) == (Money("1000.00", "MAD"), Money("1138.40", "MAD"))
    assert (statement.from_on, statement.to_on, statement.sequence) == (date(2026, 1, 5), date(2026, 1, 8), 7)
    assert [
        (each.number, each.amount, each.end_to_end_id, each.bank_reference) for each in statement.lines
    ] == [
        (1, Money("970.00", "MAD"), "", "BK0001"),
        (2, Money("-534.00", "MAD"), "P-1", "BK0002"),
        (3, Money("-302.60", "MAD"), "P-2", "BK0002"),
        (4, Money("534.00", "MAD"), "P-1", "BK0003"),
        (5, Money("-529.00", "MAD"), "", ""),
    ]
    remittance, paid, _, returned, rest = statement.lines
    assert (remittance.booked_on, remittance.value_on) == (date(2026, 1, 5), date(2026, 1, 6))
    assert remittance.text == "REMISE REM-1 1 COLIS"
    assert (remittance.counterparty_name, remittance.counterparty_rib) == (
        "Amana",
        "011519000001205000534921",
    )
    assert (paid.counterparty_name, paid.counterparty_rib) == ("تعاونية أ", "999780000000000000000105")
    assert (returned.is_reversal, returned.counterparty_name, returned.text) == (
        True,
        "تعاونية أ",
        "RETOUR AC04",
    )
    assert returned.booked_on == date(2026, 1, 7)
    assert (rest.text, rest.value_on) == ("DIVERS", date(2026, 1, 8))
    assert "<" in rest.raw
    assert "DIVERS" in rest.raw


def test_version_08_is_read_with_its_deeper_names_and_an_overdrawn_opening():
    statement = camt053.read(V08.encode())

    assert statement.account == "011519000001205000534921"
    assert (statement.opening, statement.closing) == (Money("-10.00", "EUR"), Money("79.24", "EUR"))
    assert (statement.from_on, statement.to_on, statement.sequence) == (
        date(2026, 1, 30),
        date(2026, 1, 31),
        12,
    )
    (line,) = statement.lines
    assert (line.amount, line.text, line.end_to_end_id) == (Money("89.24", "EUR"), "STRIPE TRACE42", "po_1")
    assert (line.counterparty_name, line.counterparty_rib) == ("STRIPE", "IE29AIBK93115212345678")


def test_an_entry_that_sums_up_a_batch_says_which():
    whole = "<AddtlNtryInf>DIVERS</AddtlNtryInf>"
    batch = f"<NtryDtls><Btch><MsgId>BA-20260105-01</MsgId><NbOfTxs>2</NbOfTxs></Btch></NtryDtls>{whole}"

    statement = camt053.read(V02.replace(whole, batch).encode())

    assert statement.lines[-1].text == "DIVERS BA-20260105-01"
    assert statement.lines[-1].end_to_end_id == ""


def test_parts_that_do_not_make_the_whole_leave_the_entry_whole():
    statement = camt053.read(V02.replace(">302.60<", ">302.59<").encode())

    assert Money("-836.60", "MAD") in [line.amount for line in statement.lines]
    assert len(statement.lines) == 4


def test_several_statements_are_read_only_when_asked_for():
    twice = V02.replace("</Stmt>", "</Stmt>" + V02[V02.index("<Stmt>") : V02.index("</Stmt>") + 7]).encode()

    assert len(camt053.read_all(twice)) == 2
    with pytest.raises(errors.SeveralStatements):
        camt053.read(twice)


BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">&b;</Document>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>"""


@pytest.mark.parametrize("content", [BOMB, OUTSIDE, "<!DOCTYPE a><a/>"])
def test_xml_bombs_and_outside_entities_are_not_opened(content):
    with pytest.raises(errors.UnsafeFile):
        camt053.read(content.encode())


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", errors.FileEmpty),
        (b"  \n", errors.FileEmpty),
        (b"PK\x03\x04rest", errors.FileIsASpreadsheet),
        (b"%PDF-1.7", errors.FileIsADocument),
        (b"Date;Montant\n", errors.NotCamt053),
        (b"<html></html>", errors.NotCamt053),
        (V02.replace("camt.053.001.02", "camt.052.001.02").encode(), errors.NotCamt053),
        (V02.replace("camt.053.001.02", "camt.053.001.99").encode(), errors.NotCamt053),
        (V02[:900].encode(), errors.NotCamt053),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', errors.NotCamt053),
    ],
)
def test_a_file_that_is_no_statement_is_refused(content, refusal):
    with pytest.raises(refusal) as refused:
        camt053.read(content)

    assert isinstance(refused.value, errors.NotAStatement)
    assert str(refused.value)


@pytest.mark.parametrize(
    ("before", "after", "refusal"),
    [
        (">1138.40<", ">1138.41<", errors.SumsDoNotAgree),
        ("<Cd>OPBD</Cd>", "<Cd>ITBD</Cd>", errors.StatementIncomplete),
        ("<Cd>OPBD</Cd>", "<Cd>CLBD</Cd>", errors.StatementIncomplete),
        (">970.00<", ">-970.00<", errors.StatementIncomplete),
        (">970.00<", ">970.001<", errors.StatementIncomplete),
        (">970.00<", ">1e3<", errors.StatementIncomplete),
        (">970.00<", "><", errors.StatementIncomplete),
        ('Ccy="MAD">970.00', 'Ccy="EUR">970.00', errors.CurrencyDiffers),
        ('Ccy="MAD">970.00', 'Ccy="ZZZ">970.00', errors.StatementIncomplete),
        ("<CdtDbtInd>DBIT", "<CdtDbtInd>BOTH", errors.StatementIncomplete),
        ("<Dt>2026-01-06</Dt></BookgDt>", "<Dt>2026-13-06</Dt></BookgDt>", errors.StatementIncomplete),
        ("<BookgDt><Dt>2026-01-06</Dt></BookgDt>", "", errors.StatementIncomplete),
        ("<BookgDt><Dt>2026-01-06</Dt>", "<BookgDt><Dt>2026-02-06</Dt>", errors.OutsidePeriod),
        ("<Id>310810101402900442310133</Id>", "<Id></Id>", errors.StatementIncomplete),
    ],
)
def test_a_statement_with_anything_wrong_is_refused(before, after, refusal):
    assert before in V02

    with pytest.raises(refusal):
        camt053.read(V02.replace(before, after, 1).encode())


def test_a_wrong_number_of_entries_is_refused():
    with pytest.raises(errors.StatementIncomplete):
        camt053.read(V08.replace("<c:NbOfNtries>1<", "<c:NbOfNtries>2<").encode())


def test_a_file_too_large_is_refused_unread(monkeypatch):
    monkeypatch.setattr(tables, "LARGEST_FILE", 100)

    with pytest.raises(errors.FileTooLarge):
        camt053.read(V02.encode())
