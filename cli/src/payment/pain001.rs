//! The batch as ISO 20022 pain.001.001.09, `CustomerCreditTransferInitiation`.

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};
use rust_decimal::Decimal;

use super::{Batch, FileError, Party, within};

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

/// Elements around what is written inside them.
struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn event(&mut self, event: Event<'_>) -> Result<(), FileError> {
        self.0
            .write_event(event)
            .map_err(|error| FileError::Unknown {
                detail: error.to_string(),
            })
    }

    fn element(
        &mut self,
        name: &str,
        inside: impl FnOnce(&mut Self) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        self.event(Event::Start(BytesStart::new(name)))?;
        inside(self)?;
        self.event(Event::End(BytesEnd::new(name)))
    }

    fn text(&mut self, name: &str, text: &str) -> Result<(), FileError> {
        self.element(name, |xml| xml.event(Event::Text(BytesText::new(text))))
    }

    fn name_of(&mut self, element: &str, party: &Party) -> Result<(), FileError> {
        self.element(element, |xml| xml.text("Nm", &party.name))
    }

    fn account_of(&mut self, element: &str, party: &Party) -> Result<(), FileError> {
        self.element(element, |xml| {
            xml.element("Id", |xml| {
                xml.element("Othr", |xml| xml.text("Id", &party.account))
            })
        })
    }

    fn bank_of(&mut self, element: &str, party: &Party) -> Result<(), FileError> {
        self.element(element, |xml| {
            xml.element("FinInstnId", |xml| xml.text("Nm", &party.bank))
        })
    }
}

/// The file, the same bytes for the same batch.
pub(crate) fn write(batch: &Batch) -> Result<Vec<u8>, FileError> {
    let number = &batch.number;
    within(number, "批次号", number, 35)?;
    within(number, "付款人", &batch.debtor.name, 140)?;
    within(number, "付款账号", &batch.debtor.account, 34)?;
    within(number, "付款银行", &batch.debtor.bank, 140)?;
    for item in &batch.items {
        item.check()?;
    }
    let count = batch.items.len().to_string();
    let total: i64 = batch.items.iter().map(|item| item.amount.fen()).sum();
    let total = Decimal::new(total, 2).to_string();
    let mut xml = Xml(Writer::new_with_indent(Vec::new(), b' ', 1));
    xml.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = BytesStart::new("Document").with_attributes([("xmlns", NAMESPACE)]);
    xml.event(Event::Start(root))?;
    xml.element("CstmrCdtTrfInitn", |xml| {
        xml.element("GrpHdr", |xml| {
            xml.text("MsgId", number)?;
            let created = batch.created_at.strftime("%Y-%m-%dT%H:%M:%S");
            xml.text("CreDtTm", &created.to_string())?;
            xml.text("NbOfTxs", &count)?;
            xml.text("CtrlSum", &total)?;
            xml.name_of("InitgPty", &batch.debtor)
        })?;
        xml.element("PmtInf", |xml| {
            xml.text("PmtInfId", number)?;
            xml.text("PmtMtd", "TRF")?;
            xml.text("NbOfTxs", &count)?;
            xml.text("CtrlSum", &total)?;
            xml.element("ReqdExctnDt", |xml| {
                xml.text("Dt", &batch.requested_on.to_string())
            })?;
            xml.name_of("Dbtr", &batch.debtor)?;
            xml.account_of("DbtrAcct", &batch.debtor)?;
            xml.bank_of("DbtrAgt", &batch.debtor)?;
            batch.items.iter().try_for_each(|item| transfer(xml, item))
        })
    })?;
    xml.event(Event::End(BytesEnd::new("Document")))?;
    let mut bytes = xml.0.into_inner();
    bytes.push(b'\n');
    Ok(bytes)
}

fn transfer(xml: &mut Xml, item: &super::Item) -> Result<(), FileError> {
    xml.element("CdtTrfTxInf", |xml| {
        xml.element("PmtId", |xml| xml.text("EndToEndId", &item.id.to_string()))?;
        xml.element("Amt", |xml| {
            let amount = BytesStart::new("InstdAmt").with_attributes([("Ccy", "CNY")]);
            xml.event(Event::Start(amount))?;
            xml.event(Event::Text(BytesText::new(&item.amount.to_string())))?;
            xml.event(Event::End(BytesEnd::new("InstdAmt")))
        })?;
        xml.bank_of("CdtrAgt", &item.payee)?;
        xml.name_of("Cdtr", &item.payee)?;
        xml.account_of("CdtrAcct", &item.payee)?;
        xml.element("RmtInf", |xml| xml.text("Ustrd", &item.remittance))
    })
}
