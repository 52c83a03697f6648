#include "gui/pages/settings_dialog.h"

#include "gui/look/card.h"
#include "gui/look/foreign_text.h"
#include "gui/look/icons.h"
#include "gui/look/quantity_text.h"
#include "gui/pages/shown_settings.h"

#include <QClipboard>
#include <QDialogButtonBox>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace relay::gui {

namespace {

enum SettingColumn {
    Key,
    Value,
    Default,
    ColumnCount
};

constexpr int kHelpRole = Qt::UserRole;
constexpr int kIsChangedRole = Qt::UserRole + 1;

QTableWidgetItem *makeItem(const QString &text, bool isBold)
{
    auto *item = new QTableWidgetItem(visibleWord(text));
    item->setToolTip(plainToolTip(visibleWord(text)));
    QFont font = item->font();
    font.setBold(isBold);
    item->setFont(font);
    return item;
}

} // namespace

SettingsDialog::SettingsDialog(const QString &config, QWidget *parent)
    : QDialog(parent)
    , m_filter(new QLineEdit)
    , m_onlyChanged(new QCheckBox)
    , m_table(new QTableWidget(0, ColumnCount))
    , m_help(makeQuietLabel({}))
{
    setWindowTitle(tr("Settings in force"));
    m_filter->setPlaceholderText(tr("Filter by name, value or description"));
    m_filter->setClearButtonEnabled(true);
    m_filter->addAction(icon(QStringLiteral("search")), QLineEdit::LeadingPosition);
    m_table->setHorizontalHeaderLabels({tr("Setting"), tr("Value"), tr("Default")});
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->setAlternatingRowColors(true);
    m_table->setShowGrid(false);
    m_table->setWordWrap(false);
    m_table->setTabKeyNavigation(false);
    m_table->verticalHeader()->hide();
    m_table->horizontalHeader()->setHighlightSections(false);
    m_table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    m_table->horizontalHeader()->setStretchLastSection(true);
    m_help->setWordWrap(true);
    m_help->setMinimumHeight(fontMetrics().lineSpacing() * 2);
    m_help->setAlignment(Qt::AlignLeft | Qt::AlignTop);
    m_help->setTextInteractionFlags(Qt::TextSelectableByMouse);
    fill(config);

    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    QPushButton *copy = buttons->addButton(tr("Copy as &YAML"), QDialogButtonBox::ActionRole);
    copy->setIcon(icon(QStringLiteral("copy")));
    auto *top = new QHBoxLayout;
    top->addWidget(m_filter, 1);
    top->addWidget(m_onlyChanged);
    auto *column = new QVBoxLayout(this);
    column->addLayout(top);
    column->addWidget(m_table, 1);
    column->addWidget(m_help);
    column->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(copy, &QPushButton::clicked, this,
            [config] { QGuiApplication::clipboard()->setText(config); });
    connect(m_filter, &QLineEdit::textChanged, this, &SettingsDialog::showRows);
    connect(m_onlyChanged, &QCheckBox::toggled, this, &SettingsDialog::showRows);
    connect(m_table, &QTableWidget::currentItemChanged, this, &SettingsDialog::showHelp);
    m_table->setCurrentCell(0, Key);
}

void SettingsDialog::fill(const QString &config)
{
    QList<ShownSetting> settings = shownSettings(config);
    std::stable_partition(settings.begin(), settings.end(),
                          [](const ShownSetting &setting) { return setting.isChanged(); });
    m_table->setRowCount(static_cast<int>(settings.size()));
    int changed = 0;
    for (int row = 0; row < m_table->rowCount(); ++row) {
        const ShownSetting &setting = settings[row];
        const bool isChanged = setting.isChanged();
        changed += isChanged ? 1 : 0;
        QTableWidgetItem *key = makeItem(setting.key, isChanged);
        key->setData(kHelpRole, setting.help);
        key->setData(kIsChangedRole, isChanged);
        m_table->setItem(row, Key, key);
        m_table->setItem(row, Value, makeItem(setting.value, isChanged));
        m_table->setItem(row, Default,
                         makeItem(setting.defaultValue.value_or(QStringLiteral("–")), false));
    }
    const int unit = fontMetrics().averageCharWidth();
    m_table->setColumnWidth(Key, unit * 34);
    m_table->setColumnWidth(Value, unit * 40);
    m_onlyChanged->setText(tr("&Only %1").arg(countedText(changed, tr("change"), tr("changes"))));
    m_onlyChanged->setToolTip(tr("Hides settings that have their default value"));
    m_onlyChanged->setEnabled(changed > 0);
}

void SettingsDialog::showRows()
{
    const QString wanted = m_filter->text();
    for (int row = 0; row < m_table->rowCount(); ++row) {
        const QTableWidgetItem &key = *m_table->item(row, Key);
        const auto holds = [&](const QString &text) {
            return text.contains(wanted, Qt::CaseInsensitive);
        };
        const bool isFound = holds(key.text()) || holds(m_table->item(row, Value)->text())
                             || holds(key.data(kHelpRole).toString());
        const bool isLeftOut = m_onlyChanged->isChecked() && !key.data(kIsChangedRole).toBool();
        m_table->setRowHidden(row, !isFound || isLeftOut);
    }
}

void SettingsDialog::showHelp()
{
    const QTableWidgetItem *key = m_table->item(m_table->currentRow(), Key);
    m_help->setText(key == nullptr ? QString() : visibleWord(key->data(kHelpRole).toString()));
}

} // namespace relay::gui
