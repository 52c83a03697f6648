#include "gui/pages/start_page.h"

#include "gui/look/card.h"
#include "gui/look/icons.h"
#include "gui/look/theme.h"

#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QPushButton>
#include <QSettings>
#include <QUrl>
#include <QVBoxLayout>

namespace relay::gui {

namespace {

constexpr int kRemembered = 8;
const QString kUrlsKey = QStringLiteral("start/urls");
const QString kTokenFileKey = QStringLiteral("start/tokenFile");
const QString kConfigFileKey = QStringLiteral("start/configFile");

QString withoutPassword(const QString &address)
{
    const QUrl url(address);
    return url.password().isEmpty() ? address : url.toString(QUrl::RemovePassword);
}

QHBoxLayout *withButton(QWidget *field, QPushButton *button)
{
    auto *row = new QHBoxLayout;
    row->addWidget(field, 1);
    row->addWidget(button);
    return row;
}

/// Names of fields are equally wide in both cards, so that the fields are aligned.
QLabel *fieldName(const QString &name)
{
    QLabel *label = makeQuietLabel(name);
    label->setMinimumWidth(label->fontMetrics().averageCharWidth() * 18);
    return label;
}

/// As wide as its text needs, below the fields.
void addButton(QFormLayout &form, QPushButton *button)
{
    auto *row = new QHBoxLayout;
    row->addWidget(button);
    row->addStretch();
    form.addRow(fieldName({}), row);
}

} // namespace

StartPage::StartPage(QWidget *parent)
    : QWidget(parent)
    , m_url(new QComboBox)
    , m_tokenFile(new QLineEdit)
    , m_configFile(new QLineEdit)
    , m_problem(makeLabel({}))
{
    const int line = fontMetrics().height();
    auto *mark = new QLabel;
    mark->setPixmap(programIcon().pixmap(line * 4, line * 4));
    mark->setAlignment(Qt::AlignCenter);
    QLabel *title = makeLabel(tr("Relay"), 2.2, true);
    title->setAlignment(Qt::AlignCenter);
    QLabel *subtitle = makeQuietLabel(tr("Watch a running relay, or run one in this window."), 1.1);
    subtitle->setAlignment(Qt::AlignCenter);
    m_problem->setWordWrap(true);
    m_problem->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_problem->hide();

    auto *middle = new QWidget;
    middle->setMaximumWidth(fontMetrics().averageCharWidth() * 90);
    auto *column = new QVBoxLayout(middle);
    column->setSpacing(line / 2);
    column->addStretch();
    for (QWidget *widget : std::initializer_list<QWidget *>{mark, title, subtitle}) {
        column->addWidget(widget);
    }
    column->addSpacing(line);
    column->addWidget(makeRemoteCard());
    column->addWidget(makeEmbedCard());
    column->addWidget(m_problem);
    column->addStretch();
    auto *row = new QHBoxLayout(this);
    row->addStretch(1);
    row->addWidget(middle, 8);
    row->addStretch(1);
}

QWidget *StartPage::makeRemoteCard()
{
    const QSettings settings;
    m_url->setEditable(true);
    m_url->addItems(settings.value(kUrlsKey, QStringList{QStringLiteral("http://127.0.0.1:9464")})
                        .toStringList());
    m_url->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    m_tokenFile->setText(settings.value(kTokenFileKey).toString());
    m_tokenFile->setPlaceholderText(tr("only needed if the relay has an ops.token"));
    auto *browse = new QPushButton(tr("Choose …"));
    connect(browse, &QPushButton::clicked, this,
            [this] { askFile(m_tokenFile, tr("Token file"), tr("All files (*)")); });
    auto *watch = new QPushButton(icon(QStringLiteral("remote")), tr("&Watch"));
    const auto choose = [this] {
        Q_EMIT chosen({Choice::Kind::Remote,
                       m_url->currentText().trimmed(),
                       m_tokenFile->text().trimmed(),
                       {}});
    };
    connect(watch, &QPushButton::clicked, this, choose);
    for (const QLineEdit *field : {m_url->lineEdit(), m_tokenFile}) {
        connect(field, &QLineEdit::returnPressed, this, choose);
    }

    auto *card = new Card;
    auto *form = new QFormLayout(card);
    form->addRow(makeHeading(tr("Watch a running relay")));
    form->addRow(fieldName(tr("Ops port")), m_url);
    form->addRow(fieldName(tr("Token file")), withButton(m_tokenFile, browse));
    addButton(*form, watch);
    return card;
}

QWidget *StartPage::makeEmbedCard()
{
    m_configFile->setText(QSettings().value(kConfigFileKey).toString());
    m_configFile->setPlaceholderText(tr("optional; without a file: ws://127.0.0.1:8443"));
    auto *browse = new QPushButton(tr("Choose …"));
    connect(browse, &QPushButton::clicked, this, [this] {
        askFile(m_configFile, tr("Configuration"), tr("YAML (*.yaml *.yml);;All files (*)"));
    });
    auto *run = new QPushButton(icon(QStringLiteral("embedded")), tr("&Run"));
    const auto choose = [this] {
        Q_EMIT chosen({Choice::Kind::Embedded, {}, {}, m_configFile->text().trimmed()});
    };
    connect(run, &QPushButton::clicked, this, choose);
    connect(m_configFile, &QLineEdit::returnPressed, this, choose);
    auto *card = new Card;
    auto *form = new QFormLayout(card);
    form->addRow(makeHeading(tr("Run a relay in this program")));
    form->addRow(fieldName(tr("Configuration")), withButton(m_configFile, browse));
    addButton(*form, run);
    return card;
}

void StartPage::setProblem(const QString &problem)
{
    QPalette colours = palette();
    colours.setColor(QPalette::WindowText, colourOf(Meaning::Bad, palette()));
    m_problem->setPalette(colours);
    m_problem->setText(problem);
    m_problem->setVisible(!problem.isEmpty());
}

void StartPage::remember(const Choice &choice)
{
    QSettings settings;
    if (choice.kind == Choice::Kind::Embedded) {
        settings.setValue(kConfigFileKey, choice.configFile);
        return;
    }
    QStringList urls = settings.value(kUrlsKey).toStringList();
    const QString url = withoutPassword(choice.url);
    urls.removeAll(url);
    urls.prepend(url);
    settings.setValue(kUrlsKey, urls.mid(0, kRemembered));
    settings.setValue(kTokenFileKey, choice.tokenFile);
}

void StartPage::askFile(QLineEdit *target, const QString &title, const QString &filter)
{
    auto *dialog = new QFileDialog(this, title, {}, filter);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, target, &QLineEdit::setText);
    dialog->open();
}

} // namespace relay::gui
